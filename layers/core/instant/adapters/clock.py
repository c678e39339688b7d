"""The real clock."""

import time
from datetime import UTC, datetime
from typing import override

from instant.ports.clock import Clock

_BOOT = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Linux's clock that goes on during suspension; elsewhere the usual one."""


class SystemClock(Clock):
    """The machine's time."""

    @override
    def now(self) -> datetime:
        return datetime.now(UTC)

    @override
    def monotonic(self) -> float:
        """Seconds that only ever go forward, also while the environment is frozen between two invocations."""
        return time.clock_gettime(_BOOT)

    @override
    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)
