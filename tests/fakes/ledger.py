"""An in-memory ledger with the same guarantees as the real one, but without concurrency or lost responses.

`tests/integration/adapters/executions/test_ledger_contract.py` runs both against the same table of transitions.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from instant.domain.clock import LEASE_SLACK, format_time, parse_time
from instant.domain.executions.execution import Closing, Execution, Opening, OpenRun, State, StoredAnswer
from instant.domain.executions.holds import is_of_others, reserved, room_of_others, settled, spent, spent_in
from instant.domain.executions.receipt import Receipt
from instant.domain.usage.budget import Hold, exhausted


class Refused(Exception):
    """The transition is not allowed from the state of the execution."""


@dataclass(frozen=True)
class Row:
    """A stored execution: its opening, its state, when the reconciler is due (None: never), and its recorded fields."""

    opening: Opening
    state: State
    due_at: str | None
    name: str | None = None
    facts: Mapping[str, object] = field(default_factory=dict)


class MemoryLedger:
    """Implements the ports Ledger, OpenRuns, ExecutionReader and Cancellations; with budgets, statistics and usage."""

    def __init__(self) -> None:
        """Start empty."""
        self.rows: dict[str, Row] = {}
        self.budgets: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.stats: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        self.usage: defaultdict[tuple[str, str, str, str, str | None], Counter[str]] = defaultdict(Counter)

    # ------------------------------------------------------------- Ledger

    def open(self, opening: Opening) -> Execution | None:
        existing = self.rows.get(opening.execution_id)
        if existing:
            return None if existing.opening == opening else _execution(existing)
        self._reserve(opening)
        self.rows[opening.execution_id] = Row(opening, opening.first_state, _due_at(opening.lease_expires_at))
        return None

    def mark_sent(self, opening: Opening) -> None:
        row = self._row(opening, State.RESERVED, State.SENT)
        self._put(replace(row, state=State.SENT))

    def record_generation_id(self, opening: Opening, generation_id: str) -> None:
        row = self._row(opening, State.SENT, State.UNKNOWN)
        self._put(replace(row, name=generation_id))

    def save_result(self, opening: Opening, closing: Closing) -> None:
        row = self._row(opening, State.SENT, State.UNKNOWN)
        added: dict[str, object] = {
            name: _facts(closing)[name] for name in ("text", "object_key") if name in _facts(closing)
        }
        delivered: dict[str, object] = {} if closing.error_code else {"was_delivered": True}
        facts = {**row.facts, **added, **delivered}
        self._put(replace(row, name=closing.receipt.generation_id or row.name, facts=facts))

    def release(self, opening: Opening) -> None:
        row = self.rows.get(opening.execution_id)
        if _is(row, opening, State.RESERVED, State.SENT):
            self._remove(opening)

    def renew(self, opening: Opening, lease_expires_at: str) -> None:
        row = self._row(opening, State.RESERVED, State.SENT)
        if lease_expires_at < row.opening.lease_expires_at:
            raise Refused(f"{opening.execution_id} has a longer lease")
        renewed = replace(row.opening, lease_expires_at=lease_expires_at)
        self._put(replace(row, opening=renewed, due_at=_due_at(lease_expires_at)))

    def reclaim(self, execution_id: str, now: str) -> bool:
        row = self.rows.get(execution_id)
        if row is None or row.state is not State.RESERVED or row.opening.lease_expires_at >= now:
            return False
        self._remove(row.opening)
        return True

    def close(self, opening: Opening, closing: Closing) -> bool:
        row = self.rows.get(opening.execution_id)
        if row is None or not _is(row, opening, State.SENT, State.UNKNOWN):
            return False
        is_named = row.name or row.facts.get("generation_id")
        if closing.state is State.LOST and is_named and closing.receipt.generation_id is None:
            return False
        known = {name: fact for name, fact in row.facts.items() if closing.error_code or name != "error_code"}
        self._put(replace(row, state=closing.state, due_at=None, facts={**known, **_facts(closing)}))
        self._count(opening, closing)
        self._settle(opening, lambda hold: spent_in(opening, closing, hold))
        return True

    def mark_unknown(self, opening: Opening, closing: Closing, due_at: str) -> None:
        row = self._row(opening, State.SENT, State.UNKNOWN)
        self._put(replace(row, state=closing.state, due_at=due_at, facts={**row.facts, **_facts(closing)}))

    def expire(self, opening: Opening, closing: Closing, due_at: str) -> bool:
        row = self.rows.get(opening.execution_id)
        if row is None or not _is(row, opening, State.SENT) or row.opening.lease_expires_at != opening.lease_expires_at:
            return False
        self.mark_unknown(opening, closing, due_at)
        return True

    def reschedule(self, opening: Opening, due_at: str) -> None:
        row = self._row(opening, State.RESERVED, State.SENT, State.UNKNOWN)
        self._put(replace(row, due_at=due_at))

    # ------------------------------------------------------------- Cancellations, OpenRuns and ExecutionReader

    def request(self, execution_id: str, user_id: str, now: str) -> bool:
        row = self.rows.get(execution_id)
        if row is None or not row.opening.streamed or row.opening.user_id != user_id:
            return False
        if row.state not in {State.RESERVED, State.SENT}:
            return False
        self._put(replace(row, facts={"cancel_requested_at": now, **row.facts}))
        return True

    def is_cancelled(self, execution_id: str) -> bool:
        row = self.rows.get(execution_id)
        return row is not None and "cancel_requested_at" in row.facts

    def due(self, now: str) -> Iterator[OpenRun]:
        for execution_id in list(self.rows):
            row = self.rows.get(execution_id)
            if row and row.due_at and row.due_at <= now:
                yield _open_run(row)

    def get(self, execution_id: str) -> Execution | None:
        row = self.rows.get(execution_id)
        return _execution(row) if row else None

    # ------------------------------------------------------------- Budgets, statistics and usage

    def _row(self, opening: Opening, *states: State) -> Row:
        row = self.rows.get(opening.execution_id)
        if row is None or not _is(row, opening, *states):
            raise Refused(f"{opening.execution_id} of {opening.run_id} is {row and (row.opening.run_id, row.state)}")
        return row

    def _put(self, row: Row) -> None:
        self.rows[row.opening.execution_id] = row

    def _remove(self, opening: Opening) -> None:
        del self.rows[opening.execution_id]
        self._settle(opening, lambda hold: 0)

    def _reserve(self, opening: Opening) -> None:
        full = [hold for hold in opening.holds if not self.has_room(opening, hold)]
        if full:
            raise exhausted(full[0], parse_time(opening.created_at))
        for hold in opening.holds:
            self.budgets[hold.name].update(reserved(opening, hold))

    def has_room(self, opening: Opening, hold: Hold) -> bool:
        """Whether the row has room for the worst case, and a resource's owner keeps a share of the budget."""
        row = self.budgets[hold.name]
        if row["committed"] > hold.room(opening.reserved_nanousd):
            return False
        is_alone = not is_of_others(opening, hold) or not row["others_held"]
        return is_alone or row["others_weight"] <= room_of_others(opening, hold)

    def _settle(self, opening: Opening, spent: Callable[[Hold], int]) -> None:
        for hold in opening.holds:
            self.budgets[hold.name].update(settled(opening, hold, spent(hold)))

    def _count(self, opening: Opening, closing: Closing) -> None:
        day, receipt = opening.created_at[:10], closing.receipt
        ended_well, cost, computed = closing.error_code is None, receipt.cost_nanousd, closing.computed_nanousd
        is_comparable = cost is not None and computed is not None
        added = {"calls": 1, "successes": int(ended_well), "failures": int(not ended_well), "cost_nanousd": cost or 0}
        counted = {name: added[name] * closing.counts for name in ("successes", "failures")}
        own = {f"own_{name}": count for name, count in counted.items()} if opening.by_owner else {}
        self.stats[opening.resource_id, day].update(added | counted | own)
        self.usage[opening.user_id, day, opening.resource_id, opening.model or "", opening.api_key_id].update(
            added,
            lost=int(closing.state is State.LOST),
            unpriced=int(cost is None),
            prompt_tokens=receipt.prompt_tokens or 0,
            completion_tokens=receipt.completion_tokens or 0,
            latency_ms=closing.latency_ms or 0,
            timed=int(closing.latency_ms is not None),
            booked_nanousd=spent(opening, closing),
            billed_nanousd=cost or 0 if is_comparable else 0,
            computed_nanousd=computed or 0 if is_comparable else 0,
        )


def _due_at(lease_expires_at: str) -> str:
    return format_time(parse_time(lease_expires_at) + timedelta(seconds=LEASE_SLACK))


def _is(row: Row | None, opening: Opening, *states: State) -> bool:
    return row is not None and row.opening.run_id == opening.run_id and row.state in states


def _facts(closing: Closing) -> dict[str, object]:
    """The fields that a closing records; fields that are None do not overwrite earlier values."""
    receipt, answer = closing.receipt, closing.answer
    facts: dict[str, object] = {
        "reconciled_at" if closing.reconciled else "finished_at": closing.finished_at,
        "latency_ms": closing.latency_ms,
        "error_code": closing.error_code,
        "claimed_nanousd": closing.claimed_nanousd,
        "was_delivered": closing.was_delivered or None,
        "text": answer.text,
        "object_key": answer.object_key,
        **{name: getattr(receipt, name) for name in _RECEIPT},
    }
    return {name: fact for name, fact in facts.items() if fact is not None}


_RECEIPT = (
    "generation_id", "model", "provider", "finish_reason", "prompt_tokens", "completion_tokens", "cost_nanousd",
)  # fmt: skip
_END = ("cancel_requested_at", "finished_at", "reconciled_at", "latency_ms", "error_code")
_BEGINNING = (
    "execution_id", "user_id", "resource_id", "resource_revision", "model", "created_at", "api_key_id", "fingerprint",
    "lease_expires_at", "streamed",
)  # fmt: skip


def _execution(row: Row) -> Execution:
    receipt = Receipt(**_picked(row.facts, _RECEIPT))
    answer = StoredAnswer(**_picked(row.facts, ("text", "object_key")))
    beginning = {name: getattr(row.opening, name) for name in _BEGINNING}
    return Execution(
        **beginning,
        **_picked(row.facts, _END),
        key_source=str(row.opening.key_source),
        state=row.state,
        was_delivered="was_delivered" in row.facts,
        receipt=receipt,
        answer=answer,
    )


def _open_run(row: Row) -> OpenRun:
    facts = _picked(row.facts, ("generation_id", "finished_at", "error_code", "claimed_nanousd"))
    return OpenRun(
        opening=row.opening,
        state=row.state,
        was_delivered="was_delivered" in row.facts,
        receipt=Receipt(**_picked(row.facts, _RECEIPT)),
        **{**facts, "generation_id": facts["generation_id"] or row.name},
    )


def _picked(facts: Mapping[str, object], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: facts.get(name) for name in names}
