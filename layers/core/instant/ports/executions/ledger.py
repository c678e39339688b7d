"""The ledger of executions, and the executions that are open."""

from collections.abc import Iterator
from typing import Protocol

from instant.domain.executions.execution import Closing, Execution, Opening, OpenRun


class Ledger(Protocol):
    """The ledger of executions; every state transition is one conditional write or transaction."""

    def open(self, opening: Opening) -> Execution | None:
        """Nothing -> `opening.first_state`, with its reservations (`BudgetExhausted`); else the existing execution."""

    def mark_sent(self, opening: Opening) -> None:
        """RESERVED -> SENT: from this point the call may be charged."""

    def record_generation_id(self, opening: Opening, generation_id: str) -> None:
        """Record, while the call is in progress, the generation id by which its outcome can be looked up."""

    def save_result(self, opening: Opening, closing: Closing) -> None:
        """Save the generation id and the answer of a call whose outcome cannot be recorded now, for later recording."""

    def release(self, opening: Opening) -> None:
        """RESERVED or SENT -> nothing, only by the run itself when it has sent nothing; idempotent."""

    def renew(self, opening: Opening, lease_expires_at: str) -> None:
        """Extend the lease of a RESERVED or SENT execution, by its own run; it never becomes shorter."""

    def reclaim(self, execution_id: str, now: str) -> bool:
        """RESERVED -> nothing, if the lease expired before `now`; returns whether it was reclaimed."""

    def close(self, opening: Opening, closing: Closing) -> bool:
        """SENT | UNKNOWN -> DONE | FAILED | LOST, with all totals; returns whether this call closed it; idempotent."""

    def mark_unknown(self, opening: Opening, closing: Closing, due_at: str) -> None:
        """SENT -> UNKNOWN; its outcome is looked up at `due_at`."""

    def expire(self, opening: Opening, closing: Closing, due_at: str) -> bool:
        """SENT -> UNKNOWN, if the lease is still the one in `opening`; returns whether it was."""

    def reschedule(self, opening: Opening, due_at: str) -> None:
        """Reschedule the reconciliation of an open execution to `due_at`."""


class OpenRuns(Protocol):
    """Executions that are not closed."""

    def due(self, now: str) -> Iterator[OpenRun]:
        """Executions that are due for reconciliation at `now`, from a consistent read."""
