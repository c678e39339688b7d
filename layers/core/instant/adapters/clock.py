"""The real clock."""

import time
from datetime import UTC, datetime

_BOOT = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Linux's clock that goes on during suspension; elsewhere the usual one."""


class SystemClock:
    """The machine's time."""

    def now(self) -> datetime:
        """The present moment, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that only ever go forward, also while the environment is frozen between two invocations."""
        return time.clock_gettime(_BOOT)

    def sleep(self, seconds: float) -> None:
        """Wait so long."""
        time.sleep(seconds)
