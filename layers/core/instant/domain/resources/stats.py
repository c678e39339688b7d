"""Call statistics of a resource, summed from daily buckets."""

from dataclasses import dataclass, replace
from datetime import date, timedelta

WINDOW_DAYS = 30
"""30 UTC calendar days including today."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """The counts of one resource; money in nano-USD.

    All calls are in `call_count`. Successes and failures are those that say something about the resource; the owner's
    are also counted separately, since others' ranking and statistics leave them out.
    """

    call_count: int = 0
    success_count_30d: int = 0
    failure_count_30d: int = 0
    own_success_count_30d: int = 0
    own_failure_count_30d: int = 0
    cost_nanousd_30d: int = 0
    last_called_at: str | None = None

    def without_own(self) -> "Stats":
        """The counts without the owner's own successes and failures."""
        return replace(
            self,
            success_count_30d=self.success_count_30d - self.own_success_count_30d,
            failure_count_30d=self.failure_count_30d - self.own_failure_count_30d,
            own_success_count_30d=0,
            own_failure_count_30d=0,
        )


def window_start(today: date) -> date:
    """The first day of the window."""
    return today - timedelta(days=WINDOW_DAYS - 1)
