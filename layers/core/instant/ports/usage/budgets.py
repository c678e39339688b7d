"""Budgets."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from instant.domain.usage.budget import Budget, Period, Spending, Subject


class BudgetStore(Protocol):
    """Budgets and their spending."""

    def get(self, subject: Subject) -> Budget | None:
        """The budget, from a consistent read; None if none is set."""

    def of_owner(self, owner_id: str) -> Sequence[Budget]:
        """The budgets that this user has set, in no particular order, from a consistent read."""

    def put(self, owner_id: str, budget: Budget) -> None:
        """Set the budget, or remove it if it has no cap; `InvalidField` above the maximum per owner."""

    def spending(self, subjects: Sequence[Subject], at: datetime) -> Mapping[Subject, Mapping[Period, Spending]]:
        """The amounts spent and reserved in the day and the month of `at`, for each of `subjects`."""
