"""Faulty variants of the app that violate an invariant of streams."""

from dataclasses import replace
from typing import Any

from instant.domain.access.identity import Identity
from instant.domain.errors import Cancelled
from instant.domain.executions.execution import Closing, Opening, State
from instant.domain.limits import Rate
from instant.use_cases.executions.deps import LedgerDeps, SecondsLeft
from instant.use_cases.executions.streams.listener import Listener
from instant.use_cases.executions.streams.resume import resume
from tests.fakes.ledger import MemoryLedger
from tests.fakes.rate_limiter import MemoryRateLimiter
from tests.simulator.calls import STREAM_SECONDS
from tests.simulator.world import App


class RenewsNothing(MemoryLedger):
    """A ledger that does not extend leases."""

    def renew(self, opening: Opening, lease_expires_at: str) -> None:
        pass


class RenewsAnything(MemoryLedger):
    """A ledger that extends the lease of an execution in any state."""

    def renew(self, opening: Opening, lease_expires_at: str) -> None:
        row = self.rows.get(opening.execution_id)
        if row:
            renewed = replace(row.opening, lease_expires_at=lease_expires_at)
            self.rows[opening.execution_id] = replace(row, opening=renewed, due_at=lease_expires_at)


class CancelsEnded(MemoryLedger):
    """A ledger in which executions that have ended can be cancelled."""

    def request(self, execution_id: str, user_id: str, now: str) -> bool:
        row = self.rows.get(execution_id)
        if row:
            self.rows[execution_id] = replace(row, facts={**row.facts, "cancel_requested_at": now})
        return row is not None


class CancelsForFree(MemoryLedger):
    """A ledger that records a cancelled call at once, with no cost."""

    def mark_unknown(self, opening: Opening, closing: Closing, due_at: str) -> None:
        if closing.error_code == Cancelled.code:
            free = replace(closing.receipt, cost_nanousd=0)
            self.close(opening, replace(closing, state=State.FAILED, receipt=free))
        else:
            super().mark_unknown(opening, closing, due_at)


class HidesCancellations(MemoryLedger):
    """A ledger in which no run sees that it was cancelled."""

    def is_cancelled(self, execution_id: str) -> bool:
        return False


class RenewsNoPlaces(MemoryRateLimiter):
    """A rate limiter that does not extend leases."""

    def renew(self, user_id: str, lease: str, seconds: float) -> str:
        return lease


class KeepsPlaces(MemoryRateLimiter):
    """A rate limiter whose leases last for as long as the invocation of a stream."""

    def acquire(self, user_id: str, rate: Rate, most: int, seconds: float) -> str:
        return super().acquire(user_id, rate, most, STREAM_SECONDS)


def resumes_from_the_start(
    execution_id: str, after: int, caller: Identity, listener: Listener, seconds_left: SecondsLeft, deps: LedgerDeps
) -> dict[str, Any]:
    """Resume without regard to what the client has."""
    return resume(execution_id, 0, caller, listener, seconds_left, deps)


STREAM_APPS = {
    "streams whose rows are not renewed": App(RenewsNothing),
    "renew without a condition": App(RenewsAnything),
    "cancellations of executions that have ended": App(CancelsEnded),
    "streams that do not see a cancellation": App(HidesCancellations),
    "cancelled calls that are recorded as free": App(CancelsForFree),
    "streams whose places are not renewed": App(limiter=RenewsNoPlaces),
    "places that last as long as an invocation": App(limiter=KeepsPlaces),
    "a stream that is resumed from its start": App(resume=resumes_from_the_start),
}
"""The variants by their bugs."""
