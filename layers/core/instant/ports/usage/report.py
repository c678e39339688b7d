"""Usage totals of executions."""

from collections.abc import Iterator
from datetime import date
from typing import Protocol

from instant.domain.usage.report import UsageRow


class UsageStore(Protocol):
    """Users' usage totals; written only by the ledger."""

    def of_user(self, user_id: str, first: date, last: date) -> Iterator[UsageRow]:
        """A user's rows from `first` to `last`, oldest first; one resource and key can have several rows per day."""
