"""Wrong versions of the app: each breaks a promise that the simulator must find broken."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from instant.domain.access.identity import Identity
from instant.domain.clock import LEASE_SLACK, format_time, parse_time
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
from tests.fakes.ledger import MemoryLedger, Refused
from tests.simulator.ports import FaultyLedger
from tests.simulator.upstream import SimulatedService
from tests.simulator.world import App


class IgnoresWhatStands(MemoryLedger):
    """Opens an execution that there is already."""

    def open(self, opening: Opening) -> Execution | None:
        self.rows.pop(opening.execution_id, None)
        return super().open(opening)


class SendsForAnybody(MemoryLedger):
    """Does not ask whose the reservation is by now."""

    def mark_sent(self, opening: Opening) -> None:
        row = self.rows.get(opening.execution_id)
        if row is None or row.state not in {State.RESERVED, State.SENT}:
            raise Refused
        self.rows[opening.execution_id] = replace(row, state=State.SENT)


class ClosesAnything(MemoryLedger):
    """Does not ask whether the execution is closed."""

    def close(self, opening: Opening, closing: Closing) -> bool:
        row = self.rows.get(opening.execution_id)
        if row:
            self.rows[opening.execution_id] = replace(row, state=State.SENT)
        return super().close(opening, closing)


class ForgetsTheUnknown(MemoryLedger):
    """Gives the money back when nobody knows what became of a call."""

    def mark_unknown(self, opening: Opening, closing: Closing, due_at: str) -> None:
        super().mark_unknown(opening, closing, due_at)
        for hold in opening.holds:
            self.budgets[hold.name]["committed"] -= opening.reserved_nanousd


class ReleasesTwice(MemoryLedger):
    """Gives money back whether or not the row is there."""

    def release(self, opening: Opening) -> None:
        self.rows.pop(opening.execution_id, None)
        for hold in opening.holds:
            self.budgets[hold.name]["committed"] -= opening.reserved_nanousd


class ReadsThenWrites(MemoryLedger):
    """Looks whether there is room, and takes it some time later."""

    def __init__(self) -> None:
        super().__init__()
        self.pause: Callable[[], None] = lambda: None

    def has_room(self, hold: Hold, amount: int) -> bool:
        fits = super().has_room(hold, amount)
        self.pause()
        return fits


class UnknownIsNothing(MemoryLedger):
    """Books an unknown cost as none."""

    def close(self, opening: Opening, closing: Closing) -> bool:
        cost = closing.receipt.cost_nanousd or 0
        return super().close(opening, replace(closing, receipt=replace(closing.receipt, cost_nanousd=cost)))


class LooksLate(MemoryLedger):
    """Has an execution looked after two days after its lease."""

    def open(self, opening: Opening) -> Execution | None:
        existing, row = super().open(opening), self.rows[opening.execution_id]
        late = format_time(parse_time(opening.lease_expires_at) + timedelta(days=2))
        self.rows[opening.execution_id] = replace(row, due_at=row.due_at and late)
        return existing


def lets_the_expired_through(
    request: ExecuteRequest, caller: Identity, seconds_left: SecondsLeft, deps: ExecuteDeps
) -> dict[str, Any]:
    """Calls anew where the first call was sent, and its lease is over."""
    idempotent = request.idempotent(caller.user_id)
    ledger = deps.ledger.ledger
    assert isinstance(ledger, FaultyLedger)
    row = ledger.books.rows.get(idempotent.execution_id) if idempotent else None
    if row and row.state is State.SENT:
        lease_over = parse_time(row.opening.lease_expires_at) + timedelta(seconds=LEASE_SLACK)
        if lease_over < deps.clock.now():
            ledger.books.release(row.opening)
    return execute(request, caller, seconds_left, deps)


@dataclass(frozen=True)
class HastyResponse:
    """A response that calls silence an unbegun call."""

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
class Hasty:
    """A client whose responses do so."""

    upstream: Upstream

    @contextmanager
    def open(self, request: Request, *, seconds: float) -> Iterator[HastyResponse]:
        with self.upstream.open(request, seconds=seconds) as response:
            yield HastyResponse(response)


def sends_again_after_silence(
    request: ExecuteRequest, caller: Identity, seconds_left: SecondsLeft, deps: ExecuteDeps
) -> dict[str, Any]:
    """Takes a lost answer for a call that was never begun."""
    return execute(request, caller, seconds_left, replace(deps, upstream=Hasty(deps.upstream)))


def sends_what_is_open(deps: ReconcileDeps, seconds_left: SecondsLeft) -> None:
    """A reconciler that makes the calls that others left behind."""
    for run in deps.open_runs.due(format_time(deps.clock.now())):
        if run.state is State.RESERVED:
            deps.ledger.reclaim(run.opening.execution_id, format_time(deps.clock.now()))
            continue
        assert isinstance(deps.upstream, SimulatedService)
        deps.upstream.network.actor.opening = run.opening
        request = chat_request({"messages": [{"content": "Say hello."}]}, max_reply_bytes=1_000)
        receipt = read_chat(ask(deps.upstream, request, seconds=5)).receipt
        closing = Closing(state=State.DONE, receipt=receipt, finished_at=format_time(deps.clock.now()))
        deps.ledger.close(run.opening, closing)


APPS = {
    "an opening that ignores what stands": App(IgnoresWhatStands),
    "a reservation that anybody may send": App(SendsForAnybody),
    "a close without condition": App(ClosesAnything),
    "an unknown outcome that gives the money back": App(ForgetsTheUnknown),
    "a release that gives back again": App(ReleasesTwice),
    "a reservation that reads, then writes": App(ReadsThenWrites),
    "an unknown cost booked as none": App(UnknownIsNothing),
    "a look after leases that comes late": App(LooksLate),
    "a repeat that is let through when the lease is over": App(execute=lets_the_expired_through),
    "a call that is sent again after silence": App(execute=sends_again_after_silence),
    "a reconciler that sends": App(reconcile=sends_what_is_open),
}
"""Each by what is wrong with it."""
