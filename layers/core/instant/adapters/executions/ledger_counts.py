"""The counters that closing an execution updates: resource statistics, user usage, and budgets with holds."""

from datetime import datetime, timedelta
from typing import Any

from instant.adapters.executions.ledger_rows import item, shard_of, values
from instant.domain.clock import parse_time
from instant.domain.executions.execution import Closing, Opening, State
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
        "booked_nanousd": _spent(opening, closing),
        "billed_nanousd": (cost or 0) if comparable else 0,
        "computed_nanousd": (computed or 0) if comparable else 0,
    }
    labels = {"resource_id": opening.resource_id, "model": opening.model, "api_key_id": opening.api_key_id}
    facts = {name: value for name, value in labels.items() if value is not None}
    return {
        "TableName": table,
        "Key": item(user_id=opening.user_id, bucket=bucket),
        "UpdateExpression": "ADD " + ", ".join(f"{name} :{name}" for name in added)
        + " SET expires_at = :expiry, " + ", ".join(f"{name} = :{name}" for name in facts),
        "ExpressionAttributeValues": values(**added, **facts, expiry=_after(day, USAGE_DAYS)),
    }  # fmt: skip


def reservations(table: str, opening: Opening) -> dict[str, dict[str, Any]]:
    """Place a hold of the worst case in each row, if its spend and holds leave enough room."""
    worst, expiry = opening.reserved_nanousd, _after(parse_time(opening.created_at), HOLD_DAYS)
    return {
        hold_name(hold): {
            "TableName": table,
            "Key": item(name=hold.name),
            "UpdateExpression": "ADD committed :worst SET expires_at = :expiry",
            "ConditionExpression": "attribute_not_exists(committed) OR committed <= :room",
            "ExpressionAttributeValues": values(worst=worst, room=hold.cap_nanousd - worst, expiry=expiry),
        }
        for hold in opening.holds
    }


def settlements(table: str, opening: Opening, closing: Closing) -> dict[str, dict[str, Any]]:
    """Settle each hold: replace the held amount by the amount spent."""
    return _settled(table, opening, _spent(opening, closing))


def releases(table: str, opening: Opening) -> dict[str, dict[str, Any]]:
    """Release each hold: nothing was spent."""
    return _settled(table, opening, 0)


def _settled(table: str, opening: Opening, spent: int) -> dict[str, dict[str, Any]]:
    return {
        hold_name(hold): {
            "TableName": table,
            "Key": item(name=hold.name),
            "UpdateExpression": "ADD committed :change, spent :spent",
            "ExpressionAttributeValues": values(change=spent - opening.reserved_nanousd, spent=spent),
        }
        for hold in opening.holds
    }


def _spent(opening: Opening, closing: Closing) -> int:
    """The amount that budgets count: an unknown cost counts as the worst case."""
    cost = closing.receipt.cost_nanousd
    return opening.reserved_nanousd if cost is None else cost


def _count(table: str, opening: Opening, closing: Closing, bucket: str, expires_at: int | None) -> dict[str, Any]:
    succeeded = closing.error_code is None
    last = "if_not_exists(last_called_at, :now)" if closing.reconciled else ":now"
    expiry = ", expires_at = :expiry" if expires_at else ""
    return {
        "TableName": table,
        "Key": item(resource_id=opening.resource_id, bucket=bucket),
        "UpdateExpression": "ADD calls :one, successes :success, failures :failure, cost_nanousd :cost "
        f"SET last_called_at = {last}{expiry}",
        "ExpressionAttributeValues": values(
            one=1,
            success=int(succeeded),
            failure=int(not succeeded),
            cost=closing.receipt.cost_nanousd or 0,
            now=opening.created_at if closing.reconciled else closing.finished_at,
            expiry=expires_at,
        ),
    }


def _after(day: datetime, days: int) -> int:
    return int((day + timedelta(days=days)).timestamp())
