"""Time."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Time."""

    def now(self) -> datetime:
        """The present moment, in UTC."""

    def monotonic(self) -> float:
        """Seconds that only ever go forward."""

    def sleep(self, seconds: float) -> None:
        """Wait so long."""
