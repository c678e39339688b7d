"""Statistics of resources."""

from datetime import datetime
from typing import Protocol

from instant.domain.resources.stats import Stats


class StatsStore(Protocol):
    """How often resources were called; written by the ledger alone."""

    def of(self, resource_id: str, now: datetime) -> Stats:
        """The sums as of `now`."""
