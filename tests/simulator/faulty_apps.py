"""Faulty variants of the app: each violates an invariant, and the simulator must find it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from instant.domain.access.identity import Identity
from instant.domain.clock import LEASE_SLACK, format_time, parse_time
from instant.domain.errors import InstantError
from instant.domain.exchange import Request
from instant.domain.executions.execution import Closing, Execution, Opening, State
from instant.domain.executions.failure import Effect, Failure
from instant.domain.usage.budget import Hold
from instant.integrations.openrouter.chat import chat_request, read_chat
from instant.ports.upstream import Response, Upstream, ask
from instant.use_cases.executions.deps import ExecuteDeps, SecondsLeft
from instant.use_cases.executions.execute import execute
from instant.use_cases.executions.prepare import ExecuteRequest
from instant.use_cases.executions.reconcile import ReconcileDeps
from instant.use_cases.executions.streams.listener import Listener
from tests.fakes.ledger import MemoryLedger, Refused
from tests.simulator.ports import FaultyLedger
from tests.simulator.upstream import SimulatedService
from tests.simulator.world import App


class OverwritesExisting(MemoryLedger):
    """A ledger that opens an execution again if it exists."""

    def open(self, opening: Opening) -> Execution | None:
        self.rows.pop(opening.execution_id, None)
        return super().open(opening)


class IgnoresRunId(MemoryLedger):
    """A ledger that marks an execution as SENT without a check of its run id."""

    def mark_sent(self, opening: Opening) -> None:
        row = self.rows.get(opening.execution_id)
        if row is None or row.state not in {State.RESERVED, State.SENT}:
            raise Refused
        self.rows[opening.execution_id] = replace(row, state=State.SENT)


class ClosesUnconditionally(MemoryLedger):
    """A ledger that closes an execution in any state."""

    def close(self, opening: Opening, closing: Closing) -> bool:
        row = self.rows.get(opening.execution_id)
        if row:
            self.rows[opening.execution_id] = replace(row, state=State.SENT)
        return super().close(opening, closing)


class ReleasesUnknown(MemoryLedger):
    """A ledger that releases the hold of an execution with an unknown outcome."""

    def mark_unknown(self, opening: Opening, closing: Closing, due_at: str) -> None:
        super().mark_unknown(opening, closing, due_at)
        for hold in opening.holds:
            self.budgets[hold.name]["committed"] -= opening.reserved_nanousd


class ReleasesTwice(MemoryLedger):
    """A ledger that releases the holds even if the row is already deleted."""

    def release(self, opening: Opening) -> None:
        self.rows.pop(opening.execution_id, None)
        for hold in opening.holds:
            self.budgets[hold.name]["committed"] -= opening.reserved_nanousd


class ReadsThenWrites(MemoryLedger):
    """A ledger that checks a budget and updates it in two steps."""

    def __init__(self) -> None:
        super().__init__()
        self.pause: Callable[[], None] = lambda: None

    def has_room(self, opening: Opening, hold: Hold) -> bool:
        fits = super().has_room(opening, hold)
        self.pause()
        return fits


class IgnoresShares(MemoryLedger):
    """A ledger in which one caller can hold all of a shared budget."""

    def has_room(self, opening: Opening, hold: Hold) -> bool:
        return hold.is_share or super().has_room(opening, hold)


class IgnoresOwner(MemoryLedger):
    """A ledger in which other users can hold all of a resource's budget."""

    def has_room(self, opening: Opening, hold: Hold) -> bool:
        return super().has_room(replace(opening, by_owner=True), hold)


class FreesEveryLostCall(MemoryLedger):
    """A ledger that never counts a lost call in shared budgets."""

    def close(self, opening: Opening, closing: Closing) -> bool:
        return super().close(opening, replace(closing, frees_shared=closing.state is State.LOST))


class RecordsImplausibleCost(MemoryLedger):
    """A ledger that records an implausible cost without a lookup."""

    def mark_unknown(self, opening: Opening, closing: Closing, due_at: str) -> None:
        if closing.claimed_nanousd is None:
            super().mark_unknown(opening, closing, due_at)
            return
        receipt = replace(closing.receipt, cost_nanousd=closing.claimed_nanousd)
        self.close(opening, replace(closing, state=State.DONE, receipt=receipt))


class RecordsUnknownAsZero(MemoryLedger):
    """A ledger that records an unknown cost as zero."""

    def close(self, opening: Opening, closing: Closing) -> bool:
        cost = closing.receipt.cost_nanousd or 0
        return super().close(opening, replace(closing, receipt=replace(closing.receipt, cost_nanousd=cost)))


class SchedulesTooLate(MemoryLedger):
    """A ledger whose executions are due two days after their leases."""

    def open(self, opening: Opening) -> Execution | None:
        existing, row = super().open(opening), self.rows[opening.execution_id]
        late = format_time(parse_time(opening.lease_expires_at) + timedelta(days=2))
        self.rows[opening.execution_id] = replace(row, due_at=row.due_at and late)
        return existing


def executes_after_lease(
    request: ExecuteRequest, caller: Identity, seconds_left: SecondsLeft, deps: ExecuteDeps, listener: Listener | None
) -> dict[str, Any]:
    """Execute again if the first call was sent and its lease has expired."""
    idempotent = request.idempotent(caller.user_id)
    ledger = deps.ledger.ledger
    assert isinstance(ledger, FaultyLedger)
    row = ledger.inner.rows.get(idempotent.execution_id) if idempotent else None
    if row and row.state is State.SENT:
        lease_end = parse_time(row.opening.lease_expires_at) + timedelta(seconds=LEASE_SLACK)
        if lease_end < deps.clock.now():
            ledger.inner.release(row.opening)
    return execute(request, caller, seconds_left, deps, listener)


@dataclass(frozen=True)
class MisreportedResponse:
    """A response that reports every failed read as a call that was not begun."""

    response: Response

    @property
    def status(self) -> int:
        return self.response.status

    @property
    def headers(self) -> Mapping[str, str]:
        return self.response.headers

    @property
    def generation_id(self) -> str | None:
        return self.response.generation_id

    def chunks(self) -> Iterator[bytes]:
        return self.response.chunks()

    def read(self, limit: int, on_generation_id: Callable[[str], None] | None = None) -> bytes:
        try:
            return self.response.read(limit, on_generation_id)
        except Failure as failure:
            raise Failure(failure.error, receipt=failure.receipt, effect=Effect.NONE) from None


@dataclass(frozen=True)
class MisreportingUpstream:
    """A client that returns such responses."""

    upstream: Upstream

    @contextmanager
    def open(
        self, request: Request, *, seconds: float, on_wait: Callable[[], None] | None = None
    ) -> Iterator[MisreportedResponse]:
        with self.upstream.open(request, seconds=seconds, on_wait=on_wait) as response:
            yield MisreportedResponse(response)


def retries_lost_response(
    request: ExecuteRequest, caller: Identity, seconds_left: SecondsLeft, deps: ExecuteDeps, listener: Listener | None
) -> dict[str, Any]:
    """Execute with a client that reports a lost response as a call that was not begun."""
    return execute(request, caller, seconds_left, replace(deps, upstream=MisreportingUpstream(deps.upstream)), listener)


def resends_open_executions(deps: ReconcileDeps, seconds_left: SecondsLeft) -> None:
    """A reconciler that sends the requests of open executions again."""
    for run in deps.open_runs.due(format_time(deps.clock.now())):
        if run.state is State.RESERVED:
            deps.ledger.reclaim(run.opening.execution_id, format_time(deps.clock.now()))
            continue
        assert isinstance(deps.upstream, SimulatedService)
        deps.upstream.network.actor.opening = run.opening
        request = chat_request({"messages": [{"content": "Say hello."}]}, max_reply_bytes=1_000)
        with suppress(Failure, InstantError):
            receipt = read_chat(ask(deps.upstream, request, seconds=5)).receipt
            closing = Closing(state=State.DONE, receipt=receipt, finished_at=format_time(deps.clock.now()))
            deps.ledger.close(run.opening, closing)


APPS = {
    "open overwrites an existing execution": App(OverwritesExisting),
    "mark_sent without a run id check": App(IgnoresRunId),
    "close without a condition": App(ClosesUnconditionally),
    "mark_unknown releases the holds": App(ReleasesUnknown),
    "release without a condition": App(ReleasesTwice),
    "holds that are read, then written": App(ReadsThenWrites),
    "shares that are not enforced": App(IgnoresShares),
    "an owner without a share": App(IgnoresOwner),
    "lost calls that are not counted": App(FreesEveryLostCall),
    "an implausible cost recorded at once": App(RecordsImplausibleCost),
    "an unknown cost recorded as zero": App(RecordsUnknownAsZero),
    "executions that are due too late": App(SchedulesTooLate),
    "a retry that executes after the lease": App(execute=executes_after_lease),
    "a retry after a lost response": App(execute=retries_lost_response),
    "a reconciler that sends again": App(reconcile=resends_open_executions),
}
"""The variants by their bugs."""
