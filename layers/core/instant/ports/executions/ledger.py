"""The ledger of executions, and those of it that are open."""

from collections.abc import Iterator
from typing import Protocol

from instant.domain.executions.execution import Closing, Execution, Opening, OpenRun


class Ledger(Protocol):
    """The record of executions; every transition is one conditional write or transaction."""

    def open(self, opening: Opening) -> Execution | None:
        """Nothing -> `opening.first_state`, with what it holds back (`BudgetExhausted`); else whatever stands there."""

    def mark_sent(self, opening: Opening) -> None:
        """RESERVED -> SENT: from here on the call may have been paid."""

    def record_generation_id(self, opening: Opening, generation_id: str) -> None:
        """Note, while the call is under way, by which id its outcome can be asked for."""

    def save_result(self, opening: Opening, closing: Closing) -> None:
        """Note the name and the answer of a call whose end cannot be booked now; it is booked later."""

    def release(self, opening: Opening) -> None:
        """RESERVED or SENT -> nothing, by the run itself, which knows that it has sent nothing; again is a no-op."""

    def reclaim(self, execution_id: str, now: str) -> bool:
        """RESERVED -> nothing, if the lease ended before `now`; whether it was so."""

    def close(self, opening: Opening, closing: Closing) -> bool:
        """SENT | UNKNOWN -> DONE | FAILED | LOST, with all that it adds up to; whether it was so, twice is once."""

    def mark_unknown(self, opening: Opening, closing: Closing, due_at: str) -> None:
        """SENT -> UNKNOWN, to be asked for at `due_at`."""

    def reschedule(self, opening: Opening, due_at: str) -> None:
        """Look after an execution that is still open at `due_at`."""


class OpenRuns(Protocol):
    """Executions that are not closed."""

    def due(self, now: str) -> Iterator[OpenRun]:
        """Those that are to be looked after by `now`, read consistently."""
