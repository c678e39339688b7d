"""The doors of the books: the ledger, what stands in it, what it adds up to, and the budgets that it keeps to."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

from instant.domain.budget import Budget, Period, Spending, Subject
from instant.domain.execution import Closing, Execution, Opening, OpenRun, StoredAnswer
from instant.domain.page import Page, PageRequest
from instant.domain.usage_report import UsageRow


class Ledger(Protocol):
    """The record of executions; every transition is one conditional write or transaction."""

    def open(self, opening: Opening) -> Execution | None:
        """Nothing -> `opening.first_state`, with what it holds back (`BudgetExhausted`); else whatever stands there."""

    def sent(self, opening: Opening) -> None:
        """RESERVED -> SENT: from here on the call may have been paid."""

    def name(self, opening: Opening, generation_id: str) -> None:
        """Note, while the call is under way, by which id its outcome can be asked for."""

    def leave(self, opening: Opening, closing: Closing) -> None:
        """Note the name and the answer of a call whose end cannot be booked now; it is booked later."""

    def release(self, opening: Opening) -> None:
        """RESERVED or SENT -> nothing, by the run itself, which knows that it has sent nothing; again is a no-op."""

    def take_back(self, execution_id: str, now: str) -> bool:
        """RESERVED -> nothing, if the lease ended before `now`; whether it was so."""

    def close(self, opening: Opening, closing: Closing) -> bool:
        """SENT | UNKNOWN -> DONE | FAILED | LOST, with all that it adds up to; whether it was so, twice is once."""

    def unknown(self, opening: Opening, closing: Closing, due_at: str) -> None:
        """SENT -> UNKNOWN, to be asked for at `due_at`."""

    def postpone(self, opening: Opening, due_at: str) -> None:
        """Look after an execution that is still open at `due_at`."""


class OpenRuns(Protocol):
    """Executions that are not closed."""

    def due(self, now: str) -> Iterator[OpenRun]:
        """Those that are to be looked after by `now`, read consistently."""


class ExecutionReader(Protocol):
    """One execution at a time."""

    def get(self, execution_id: str) -> Execution | None:
        """The execution, read consistently."""


class ExecutionHistory(ExecutionReader, Protocol):
    """Past executions."""

    def of_user(self, user_id: str, page: PageRequest) -> Page[Execution]:
        """A user's executions, newest first."""


class AnswerStore(Protocol):
    """Answers: small ones stay in the row, large ones go to the bucket."""

    def keep(self, execution_id: str, text: str) -> StoredAnswer:
        """Store `text` for good and say where it is."""

    def read(self, answer: StoredAnswer) -> str | None:
        """The text again; None when there is none, or none any more."""


class BudgetStore(Protocol):
    """Budgets, and what was spent of them."""

    def get(self, subject: Subject) -> Budget | None:
        """The budget, read consistently; None where none is set."""

    def of_owner(self, owner_id: str) -> Sequence[Budget]:
        """The budgets that this user has set, in no particular order, read consistently."""

    def put(self, owner_id: str, budget: Budget) -> None:
        """Set it, or without any cap, take it away; `InvalidField` for one more than an owner may set."""

    def spending(self, subjects: Sequence[Subject], at: datetime) -> Mapping[Subject, Mapping[Period, Spending]]:
        """What was spent and is held back in the day and in the month that `at` is in, for each of `subjects`."""


class UsageStore(Protocol):
    """What users' executions added up to; written by the ledger alone."""

    def of_user(self, user_id: str, first: date, last: date) -> Iterator[UsageRow]:
        """A user's days from `first` to `last`, oldest first; those of one resource and key may come in parts."""


class UsageHistory(Protocol):
    """What users executed, in bulk."""

    def since(self, user_id: str, since: str, page: PageRequest) -> Page[Execution]:
        """A user's executions from this moment on, newest first; the page is full unless it is the last."""
