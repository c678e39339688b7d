"""Executions as rows: write an opening and read it back."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any
from zlib import crc32

from instant.adapters.executions.history import receipt_in
from instant.domain.clock import LEASE_SLACK, format_time, parse_time
from instant.domain.executions.execution import KeySource, Opening, OpenRun, State
from instant.domain.usage.budget import BudgetScope, Hold, Period

SHARDS = 8
"""Number of shards for counters and for the index of open executions, to avoid hot partitions."""


def shard_of(execution_id: str) -> int:
    """The shard of an execution."""
    return crc32(execution_id.encode()) % SHARDS


def due_after(lease_expires_at: str) -> str:
    """When an execution with this lease that was not closed is due for the reconciler."""
    return format_time(parse_time(lease_expires_at) + timedelta(seconds=LEASE_SLACK))


def opening_row(opening: Opening, days_kept: int) -> dict[str, Any]:
    """The row of a new execution."""
    created = parse_time(opening.created_at)
    row = item(
        execution_id=opening.execution_id,
        run_id=opening.run_id,
        state=opening.first_state,
        user_id=opening.user_id,
        payer_id=opening.credential_owner_id,
        key_source=opening.key_source,
        service=opening.service,
        ciphertext_sha256=opening.ciphertext_sha256,
        by_owner=None if opening.by_owner is None else int(opening.by_owner),
        streamed=1 if opening.streamed else None,
        api_key_id=opening.api_key_id,
        resource_id=opening.resource_id,
        resource_revision=opening.resource_revision,
        model=opening.model,
        reserved_nanousd=opening.reserved_nanousd,
        fingerprint=opening.fingerprint,
        created_at=opening.created_at,
        lease_expires_at=opening.lease_expires_at,
        open_shard=str(shard_of(opening.execution_id)),
        due_at=due_after(opening.lease_expires_at),
        expires_at=int((created + timedelta(days=days_kept)).timestamp()),
    )
    return {**row, "holds": {"L": [_hold_row(hold) for hold in opening.holds]}} if opening.holds else row


def open_run_of(row: Mapping[str, Any]) -> OpenRun:
    """Read the open execution in a row."""
    text = {name: value["S"] for name, value in row.items() if "S" in value}
    number = {name: int(value["N"]) for name, value in row.items() if "N" in value}
    opening = Opening(
        execution_id=text["execution_id"],
        run_id=text["run_id"],
        user_id=text["user_id"],
        credential_owner_id=text.get("payer_id"),
        key_source=KeySource(text["key_source"]) if "key_source" in text else None,
        service=text.get("service"),
        ciphertext_sha256=text.get("ciphertext_sha256"),
        by_owner=bool(number["by_owner"]) if "by_owner" in number else None,
        streamed="streamed" in number,
        api_key_id=text.get("api_key_id"),
        resource_id=text["resource_id"],
        resource_revision=number["resource_revision"],
        model=text.get("model"),
        reserved_nanousd=number["reserved_nanousd"],
        fingerprint=text.get("fingerprint"),
        created_at=text["created_at"],
        lease_expires_at=text["lease_expires_at"],
        holds=tuple(_read_holds(row.get("holds", {}).get("L", ()))),
    )
    return OpenRun(
        opening=opening,
        state=State(text["state"]),
        generation_id=text.get("generation_id") or text.get("early_generation_id"),
        finished_at=text.get("finished_at"),
        error_code=text.get("error_code"),
        claimed_nanousd=number.get("claimed_nanousd"),
        was_delivered="delivered" in number,
        receipt=receipt_in(text, number),
    )


def item(**attributes: str | int | None) -> dict[str, dict[str, str]]:
    """Serialize text and integers for DynamoDB; None is left out."""
    return {
        name: {"N": str(value)} if isinstance(value, int) else {"S": str(value)}
        for name, value in attributes.items()
        if value is not None
    }


def values(**attributes: str | int | None) -> dict[str, dict[str, str]]:
    """The same, as the values of an expression."""
    return {f":{name}": value for name, value in item(**attributes).items()}


def _hold_row(hold: Hold) -> dict[str, Any]:
    return {"L": [{"S": hold.name}, {"N": str(hold.cap_nanousd)}, {"S": hold.scope}, {"S": hold.period}]}


def _read_holds(listed: Iterable[Any]) -> Iterable[Hold]:
    for each in listed:
        name, cap, scope, period = (next(iter(part.values())) for part in each["L"])
        yield Hold(name, int(cap), BudgetScope(scope), Period(period))
