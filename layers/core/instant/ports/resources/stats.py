"""Statistics of resources."""

from datetime import datetime
from typing import Protocol

from instant.domain.resources.stats import Stats


class StatsStore(Protocol):
    """Call statistics of resources; written only by the ledger."""

    def of(self, resource_id: str, now: datetime) -> Stats:
        """The sums as of `now`."""
