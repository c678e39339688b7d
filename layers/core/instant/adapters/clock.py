"""The system clock."""

import time
from datetime import UTC, datetime
from typing import override

from instant.ports.clock import Clock

_BOOT = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""CLOCK_BOOTTIME on Linux, which includes suspension; the monotonic clock elsewhere."""


class SystemClock(Clock):
    """Reads the system time."""

    @override
    def now(self) -> datetime:
        return datetime.now(UTC)

    @override
    def monotonic(self) -> float:
        """Monotonic seconds, which include the time while the environment is frozen between invocations."""
        return time.clock_gettime(_BOOT)

    @override
    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)
