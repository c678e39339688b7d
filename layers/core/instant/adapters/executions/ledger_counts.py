"""The counters that closing an execution updates: resource statistics, user usage, and budgets with holds."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from instant.adapters.executions.ledger_rows import item, shard_of, values
from instant.domain.clock import parse_time
from instant.domain.executions.execution import Closing, Opening, State
from instant.domain.executions.holds import is_of_others, reserved, room_of_others, settled, spent, spent_in
from instant.domain.usage.budget import Hold

STATS_DAYS = 35
"""TTL of a resource's daily buckets: the window of 30 days plus slack."""

USAGE_DAYS = 400
"""TTL of a user's daily usage: a year plus a month, so that a month can be compared with the year before."""

HOLD_DAYS = 62
"""TTL of budget rows: two months, so that the row still exists when an execution is closed late."""


def hold_name(hold: Hold) -> str:
    """The name of a hold's write in a transaction: `hold:spend#user#user_1#2026-11#0`."""
    return f"hold:{hold.name}"


def stats_updates(table: str, opening: Opening, closing: Closing) -> dict[str, dict[str, Any]]:
    """One bucket of the day on which the call was made, and one of the total."""
    day, shard = parse_time(opening.created_at), shard_of(opening.execution_id)
    return {
        "stats:day": _count(table, opening, closing, f"day#{day.date()}#{shard}", _after(day, STATS_DAYS)),
        "stats:total": _count(table, opening, closing, f"total#{shard}", None),
    }


def usage_update(table: str, opening: Opening, closing: Closing) -> dict[str, Any]:
    """The bucket of a user's day for this resource, model and API key."""
    day, receipt = parse_time(opening.created_at), closing.receipt
    bucket = "#".join(
        [
            str(day.date()),
            str(shard_of(opening.execution_id)),
            opening.resource_id,
            opening.model or "",
            opening.api_key_id or "",
        ]
    )
    cost, computed = receipt.cost_nanousd, closing.computed_nanousd
    comparable = cost is not None and computed is not None
    added = {
        "calls": 1,
        "successes": int(closing.error_code is None),
        "failures": int(closing.error_code is not None),
        "lost": int(closing.state is State.LOST),
        "unpriced": int(cost is None),
        "prompt_tokens": receipt.prompt_tokens or 0,
        "completion_tokens": receipt.completion_tokens or 0,
        "latency_ms": closing.latency_ms or 0,
        "timed": int(closing.latency_ms is not None),
        "cost_nanousd": cost or 0,
        "booked_nanousd": spent(opening, closing),
        "billed_nanousd": (cost or 0) if comparable else 0,
        "computed_nanousd": (computed or 0) if comparable else 0,
    }
    labels = {"resource_id": opening.resource_id, "model": opening.model, "api_key_id": opening.api_key_id}
    facts = {name: value for name, value in labels.items() if value is not None}
    listed = ", ".join(f"{name} = :{name}" for name in facts)
    return {
        "TableName": table,
        "Key": item(user_id=opening.user_id, bucket=bucket),
        "UpdateExpression": f"{_add(added)} SET expires_at = :expiry, {listed}",
        "ExpressionAttributeValues": values(**added, **facts, expiry=_after(day, USAGE_DAYS)),
    }


def reservations(table: str, opening: Opening) -> dict[str, dict[str, Any]]:
    """Place a hold of the worst case in each row, if its spend and holds leave enough room."""
    return {hold_name(hold): _reservation(table, opening, hold) for hold in opening.holds}


def settlements(table: str, opening: Opening, closing: Closing) -> dict[str, dict[str, Any]]:
    """Settle each hold: replace the held amount by the amount spent."""
    return {
        hold_name(hold): _added(table, hold, settled(opening, hold, spent_in(opening, closing, hold)))
        for hold in opening.holds
    }


def releases(table: str, opening: Opening) -> dict[str, dict[str, Any]]:
    """Release each hold: nothing was spent."""
    return {hold_name(hold): _added(table, hold, settled(opening, hold, 0)) for hold in opening.holds}


def _reservation(table: str, opening: Opening, hold: Hold) -> dict[str, Any]:
    update = _added(table, hold, reserved(opening, hold))
    condition = "(attribute_not_exists(committed) OR committed <= :room)"
    limits = {"room": hold.room(opening.reserved_nanousd)}
    if is_of_others(opening, hold):
        condition += " AND (attribute_not_exists(others_held) OR others_held <= :nothing OR others_weight <= :others)"
        limits |= {"nothing": 0, "others": room_of_others(opening, hold)}
    expiry = _after(parse_time(opening.created_at), HOLD_DAYS)
    return {
        **update,
        "UpdateExpression": update["UpdateExpression"] + " SET expires_at = :expiry",
        "ConditionExpression": condition,
        "ExpressionAttributeValues": update["ExpressionAttributeValues"] | values(**limits, expiry=expiry),
    }


def _added(table: str, hold: Hold, changes: Mapping[str, int]) -> dict[str, Any]:
    return {
        "TableName": table,
        "Key": item(name=hold.name),
        "UpdateExpression": _add(changes),
        "ExpressionAttributeValues": values(**changes),
    }


def _count(table: str, opening: Opening, closing: Closing, bucket: str, expires_at: int | None) -> dict[str, Any]:
    added = {"calls": 1, **_outcome(opening, closing), "cost_nanousd": closing.receipt.cost_nanousd or 0}
    last = "if_not_exists(last_called_at, :now)" if closing.reconciled else ":now"
    expiry = ", expires_at = :expiry" if expires_at else ""
    return {
        "TableName": table,
        "Key": item(resource_id=opening.resource_id, bucket=bucket),
        "UpdateExpression": f"{_add(added)} SET last_called_at = {last}{expiry}",
        "ExpressionAttributeValues": values(
            **added, now=opening.created_at if closing.reconciled else closing.finished_at, expiry=expires_at
        ),
    }


def _outcome(opening: Opening, closing: Closing) -> dict[str, int]:
    """The counters of the outcome; one that does not count is neither a success nor a failure of the resource."""
    succeeded = closing.error_code is None
    counts = {"successes": int(closing.counts and succeeded), "failures": int(closing.counts and not succeeded)}
    return {**counts, **{f"own_{name}": count for name, count in counts.items()}} if opening.by_owner else counts


def _add(changes: Mapping[str, int]) -> str:
    return "ADD " + ", ".join(f"{name} :{name}" for name in changes)


def _after(day: datetime, days: int) -> int:
    return int((day + timedelta(days=days)).timestamp())
