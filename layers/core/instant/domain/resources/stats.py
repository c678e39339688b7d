"""Call statistics of a resource, summed from daily buckets."""

from dataclasses import dataclass
from datetime import date, timedelta

WINDOW_DAYS = 30
"""30 UTC calendar days including today."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """The counts of one resource; money in nano-USD."""

    call_count: int = 0
    success_count_30d: int = 0
    failure_count_30d: int = 0
    cost_nanousd_30d: int = 0
    last_called_at: str | None = None


def window_start(today: date) -> date:
    """The first day of the window."""
    return today - timedelta(days=WINDOW_DAYS - 1)
