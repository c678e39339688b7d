"""What executions added up to."""

from collections.abc import Iterator
from datetime import date
from typing import Protocol

from instant.domain.usage.report import UsageRow


class UsageStore(Protocol):
    """What users' executions added up to; written by the ledger alone."""

    def of_user(self, user_id: str, first: date, last: date) -> Iterator[UsageRow]:
        """A user's days from `first` to `last`, oldest first; those of one resource and key may come in parts."""
