"""The ledger of executions in DynamoDB: every state transition is one conditional write."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, override

from botocore.exceptions import ClientError

from instant.adapters.aws.client import client
from instant.adapters.aws.transactions import TransactionContended, TransactionRefused, is_refused, transact
from instant.adapters.executions.history import execution_of
from instant.adapters.executions.ledger_counts import (
    hold_name,
    releases,
    reservations,
    settlements,
    stats_updates,
    usage_update,
)
from instant.adapters.executions.ledger_rows import due_after, item, open_run_of, opening_row, values
from instant.domain.clock import parse_time
from instant.domain.errors import LimitsUnavailable
from instant.domain.executions.execution import OPEN, Closing, Execution, Opening, State
from instant.domain.usage.budget import exhausted
from instant.ports.executions.ledger import Ledger

_ATTEMPTS = 8
_NAMES = {"#state": "state"}

EXECUTION = "execution"
"""The name of the execution's write in a transaction."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerTables:
    """The names of the tables that a transaction writes to."""

    executions: str
    stats: str
    usage: str
    limits: str


class DynamoLedger(Ledger):
    """Stores executions in one table and their counters in others."""

    def __init__(self, tables: LedgerTables, *, days_kept: int) -> None:
        """Use these tables; execution rows expire after `days_kept` days."""
        self._tables = tables
        self._days_kept = days_kept

    @override
    def open(self, opening: Opening) -> Execution | None:
        """Nothing -> RESERVED, or SENT if there are no holds and no idempotency key.

        An existing execution is returned unchanged. One with the same opening was written by this run, and its first
        acknowledgement was lost. The same run may have tried to place its holds in another shard before.
        """
        put = {
            "TableName": self._tables.executions,
            "Item": opening_row(opening, self._days_kept),
            "ConditionExpression": "attribute_not_exists(execution_id)",
        }
        for _ in range(_ATTEMPTS):
            if self._put(opening, put):
                return None
            row = self._row(opening.execution_id)
            if row:
                return None if open_run_of(row).opening == opening else execution_of(row)
        raise LookupError("an execution was repeatedly created and deleted")

    @override
    def mark_sent(self, opening: Opening) -> None:
        self._update(opening, (State.RESERVED, State.SENT), "SET #state = :sent")

    @override
    def record_generation_id(self, opening: Opening, generation_id: str) -> None:
        named = "SET early_generation_id = :id"
        self._update(opening, (State.SENT, State.UNKNOWN), named, values(id=generation_id))

    @override
    def save_result(self, opening: Opening, closing: Closing) -> None:
        """Save a result that cannot be recorded now: retries replay it, and the reconciler records it later."""
        receipt = closing.receipt
        facts = values(
            early_generation_id=receipt.generation_id,
            answer=closing.answer.text,
            answer_key=closing.answer.object_key,
            delivered=1 if closing.error_code is None else None,
        )
        if facts:
            listed = ", ".join(f"{name[1:]} = {name}" for name in facts)
            self._update(opening, (State.SENT, State.UNKNOWN), f"SET {listed}", facts)

    @override
    def release(self, opening: Opening) -> None:
        self._remove(opening, State.RESERVED, State.SENT)

    @override
    def renew(self, opening: Opening, lease_expires_at: str) -> None:
        more = values(lease=lease_expires_at, due=due_after(lease_expires_at))
        extended = "SET lease_expires_at = :lease, due_at = :due"
        self._update(opening, (State.RESERVED, State.SENT), extended, more, "lease_expires_at <= :lease")

    @override
    def reclaim(self, execution_id: str, now: str) -> bool:
        """The lease is part of the condition of the deletion: its run may renew it at any time."""
        row = self._row(execution_id)
        if row is None or row["state"]["S"] != State.RESERVED or row["lease_expires_at"]["S"] >= now:
            return False
        return self._remove(open_run_of(row).opening, State.RESERVED, lease_before=now)

    @override
    def close(self, opening: Opening, closing: Closing) -> bool:
        """SENT | UNKNOWN -> DONE | FAILED | LOST, with all counters; returns whether the execution was closed.

        The row's condition is part of the transaction, so a repeated or unacknowledged close is counted once.
        A late answer replaces the result that was saved meanwhile. An execution that would be LOST for want of a
        generation id is not closed if it has one by now.
        """
        gone = "REMOVE open_shard, due_at" if closing.error_code else "REMOVE open_shard, due_at, error_code"
        updates = {
            EXECUTION: self._end(opening, closing, (State.SENT, State.UNKNOWN), gone),
            **stats_updates(self._tables.stats, opening, closing),
            "usage": usage_update(self._tables.usage, opening, closing),
            **settlements(self._tables.limits, opening, closing),
        }
        try:
            transact({name: {"Update": update} for name, update in updates.items()})
        except TransactionRefused as error:
            if EXECUTION not in error.refused:
                raise
            _log.info("execution was already closed", extra={"execution_id": opening.execution_id})
            return False
        return True

    @override
    def mark_unknown(self, opening: Opening, closing: Closing, due_at: str) -> None:
        """SENT -> UNKNOWN, with the next lookup at `due_at`; nothing is counted until the outcome is known.

        If the execution is already UNKNOWN, a late run adds the facts that it has.
        """
        client("dynamodb").update_item(**self._unknown(opening, closing, (State.SENT, State.UNKNOWN), due_at))

    @override
    def expire(self, opening: Opening, closing: Closing, due_at: str) -> bool:
        write = self._unknown(opening, closing, (State.SENT,), due_at)
        write["ConditionExpression"] += " AND lease_expires_at = :lease"
        write["ExpressionAttributeValues"] |= values(lease=opening.lease_expires_at)
        return _is_done(lambda: client("dynamodb").update_item(**write))

    @override
    def reschedule(self, opening: Opening, due_at: str) -> None:
        self._update(opening, OPEN, "SET due_at = :due", values(due=due_at))

    def _put(self, opening: Opening, put: dict[str, Any]) -> bool:
        """Open the execution and place its holds in one transaction; False if the execution exists already."""
        if not opening.holds:
            return _is_done(lambda: client("dynamodb").put_item(**put))
        holds = reservations(self._tables.limits, opening)
        try:
            transact({EXECUTION: {"Put": put}, **{name: {"Update": hold} for name, hold in holds.items()}})
        except TransactionRefused as error:
            if EXECUTION in error.refused:
                return False
            full = next(hold for hold in opening.holds if hold_name(hold) in error.refused)
            raise exhausted(full, parse_time(opening.created_at)) from None
        except TransactionContended:
            problem = "Too many concurrent calls share a budget. Nothing was sent. Try again in a moment."
            raise LimitsUnavailable(problem, retry_after=1) from None
        return True

    def _update(
        self,
        opening: Opening,
        states: Sequence[State],
        expression: str,
        more: Mapping[str, Any] | None = None,
        *conditions: str,
    ) -> None:
        """Update an execution if it belongs to this run, is in one of these states, and the conditions hold."""
        condition, bound = _in_states(opening, states)
        client("dynamodb").update_item(
            TableName=self._tables.executions,
            Key=item(execution_id=opening.execution_id),
            UpdateExpression=expression,
            ConditionExpression=" AND ".join([condition, *conditions]),
            ExpressionAttributeNames=_NAMES,
            ExpressionAttributeValues={**bound, **(more or {})},
        )

    def _row(self, execution_id: str) -> dict[str, Any] | None:
        reply = client("dynamodb").get_item(
            TableName=self._tables.executions, Key=item(execution_id=execution_id), ConsistentRead=True
        )
        return dict(reply["Item"]) if "Item" in reply else None

    def _remove(self, opening: Opening, *states: State, lease_before: str | None = None) -> bool:
        """Delete the row and release its holds, if it belongs to this run and is in one of these states.

        With `lease_before`, its lease must have expired before then.
        """
        condition, bound = _in_states(opening, states)
        if lease_before:
            condition, bound = f"{condition} AND lease_expires_at < :before", {**bound, **values(before=lease_before)}
        delete = {
            "TableName": self._tables.executions,
            "Key": item(execution_id=opening.execution_id),
            "ConditionExpression": condition,
            "ExpressionAttributeNames": _NAMES,
            "ExpressionAttributeValues": bound,
        }
        if not opening.holds:
            return _is_done(lambda: client("dynamodb").delete_item(**delete))
        holds = releases(self._tables.limits, opening)
        try:
            transact({EXECUTION: {"Delete": delete}, **{name: {"Update": hold} for name, hold in holds.items()}})
        except TransactionRefused as error:
            if EXECUTION not in error.refused:
                raise
            return False
        return True

    def _unknown(self, opening: Opening, closing: Closing, states: Sequence[State], due_at: str) -> dict[str, Any]:
        write = self._end(opening, closing, states, ", due_at = :due")
        write["ExpressionAttributeValues"] |= values(due=due_at)
        return write

    def _end(self, opening: Opening, closing: Closing, states: Sequence[State], more: str) -> dict[str, Any]:
        receipt = closing.receipt
        facts = values(
            **({"reconciled_at": closing.finished_at} if closing.reconciled else {"finished_at": closing.finished_at}),
            latency_ms=closing.latency_ms,
            error_code=closing.error_code,
            answer=closing.answer.text,
            answer_key=closing.answer.object_key,
            generation_id=receipt.generation_id,
            model_served=receipt.model,
            provider=receipt.provider,
            finish_reason=receipt.finish_reason,
            prompt_tokens=receipt.prompt_tokens,
            completion_tokens=receipt.completion_tokens,
            cost_nanousd=receipt.cost_nanousd,
            computed_nanousd=closing.computed_nanousd,
            claimed_nanousd=closing.claimed_nanousd,
            delivered=1 if closing.was_delivered else None,
        )
        condition, bound = _in_states(opening, states)
        if closing.state is State.LOST and receipt.generation_id is None:
            condition += " AND attribute_not_exists(early_generation_id) AND attribute_not_exists(generation_id)"
        return {
            "TableName": self._tables.executions,
            "Key": item(execution_id=opening.execution_id),
            "UpdateExpression": f"SET #state = :state, {', '.join(f'{name[1:]} = {name}' for name in facts)} {more}",
            "ConditionExpression": condition,
            "ExpressionAttributeNames": _NAMES,
            "ExpressionAttributeValues": {**facts, **bound, **values(state=closing.state)},
        }


def _in_states(opening: Opening, states: Sequence[State]) -> tuple[str, dict[str, Any]]:
    """The condition that an execution belongs to this run and is in one of these states, and its values."""
    bound = {f":{state.lower()}": {"S": str(state)} for state in states}
    return f"run_id = :run AND #state IN ({', '.join(bound)})", {**bound, **values(run=opening.run_id)}


def _is_done(write: Callable[[], object]) -> bool:
    """Whether the condition of a single write held."""
    try:
        write()
    except ClientError as error:
        if not is_refused(error):
            raise
        return False
    return True
