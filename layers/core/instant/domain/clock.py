"""Times as text: ISO 8601 in UTC with microseconds, so that lexical order is time order."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

LEASE_SLACK = 30.0
"""Allowance for clock skew in seconds: a lease outlasts its holder by this, and is taken over only this much later."""

STREAM_LEASE_SECONDS = 90.0
"""Duration of the leases of a streamed execution, which is shorter than the execution: they are renewed."""

RENEWAL_SECONDS = 30.0
"""Seconds between two renewals of a lease: two of them can fail."""


class Every:
    """Says when `seconds` have passed since it last said so."""

    def __init__(self, seconds: float, monotonic: Callable[[], float]) -> None:
        """Begin now; `monotonic` returns the time in seconds."""
        self._seconds = seconds
        self._monotonic = monotonic
        self._last = monotonic()

    def is_due(self) -> bool:
        """Whether the time has passed; if so, it begins anew."""
        now = self._monotonic()
        if now - self._last < self._seconds:
            return False
        self._last = now
        return True


def format_time(parse_time: datetime) -> str:
    """`parse_time` as `2026-11-22T20:17:24.000123Z`."""
    return parse_time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_time(text: str) -> datetime:
    """Parse a time that `format_time` wrote."""
    return datetime.fromisoformat(text)


def expiry_after(start: str, days: int) -> int:
    """The Unix time some days after a time in the form of `format_time`: DynamoDB deletes a row after such a time."""
    return int((parse_time(start) + timedelta(days=days)).timestamp())
