"""Clocks for tests: one set by the test, one that advances with each reading, and one that does not sleep."""

from datetime import UTC, datetime, timedelta

from instant.adapters.clock import SystemClock

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class FakeClock:
    """A clock that the test advances; `now` and `monotonic` advance together."""

    def __init__(self, start: datetime = START) -> None:
        """Start at this time."""
        self._start = start
        self._passed = 0.0

    def now(self) -> datetime:
        """The current time, in UTC."""
        return self._start + timedelta(seconds=self._passed)

    def monotonic(self) -> float:
        """Seconds since the clock was created."""
        return self._passed

    def sleep(self, seconds: float) -> None:
        """Advance the clock without waiting."""
        self._passed += seconds

    def pass_seconds(self, seconds: float) -> None:
        """Advance the clock."""
        self._passed += seconds


class TickingClock(FakeClock):
    """Advances by `step` seconds with each reading, so that a deadline passes after a fixed number of readings."""

    def __init__(self, step: float) -> None:
        """Start at the default time."""
        super().__init__()
        self._step = step

    def monotonic(self) -> float:
        """Seconds since the clock was created, increased by this reading."""
        self._passed += self._step
        return self._passed


class SleeplessClock(SystemClock):
    """The system clock without sleeping; records the duration of each sleep."""

    def __init__(self) -> None:
        """Start without recorded sleeps."""
        self.waits: list[float] = []

    def sleep(self, seconds: float) -> None:
        """Record the duration and return immediately."""
        self.waits.append(seconds)
