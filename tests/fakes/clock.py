"""Clocks for tests: one that stands still, one that moves when it is read, and one that never sleeps."""

from datetime import UTC, datetime, timedelta

from instant.adapters.clock import SystemClock

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

    def sleep(self, seconds: float) -> None:
        """Let time go by."""
        self._passed += seconds

    def pass_seconds(self, seconds: float) -> None:
        """Let time go by."""
        self._passed += seconds


class TickingClock(FakeClock):
    """Every reading takes `step` seconds: a deadline passes after so many readings, whatever the machine does."""

    def __init__(self, step: float) -> None:
        """Stand at the usual start."""
        super().__init__()
        self._step = step

    def monotonic(self) -> float:
        """Seconds since the clock was made; later with each reading."""
        self._passed += self._step
        return self._passed


class SleeplessClock(SystemClock):
    """The machine's time, for those who do not care to wait; how long they would have is kept."""

    def __init__(self) -> None:
        """Nobody has waited yet."""
        self.waits: list[float] = []

    def sleep(self, seconds: float) -> None:
        """Go on at once."""
        self.waits.append(seconds)
