"""A clock that stands still until it is told to move."""

from datetime import UTC, datetime, timedelta

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class FakeClock:
    """Time under a test's control; both of its faces move together."""

    def __init__(self, start: datetime = START) -> None:
        """Stand at `start`."""
        self._start = start
        self._passed = 0.0

    def now(self) -> datetime:
        """The present moment, in UTC."""
        return self._start + timedelta(seconds=self._passed)

    def monotonic(self) -> float:
        """Seconds since the clock was made."""
        return self._passed

    def pass_seconds(self, seconds: float) -> None:
        """Let time go by."""
        self._passed += seconds
