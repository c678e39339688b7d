"""Budgets."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from instant.domain.usage.budget import Budget, Period, Spending, Subject


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
