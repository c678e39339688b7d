"""Time."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Time."""

    def now(self) -> datetime:
        """The current time in UTC."""

    def monotonic(self) -> float:
        """A monotonic clock in seconds."""

    def sleep(self, seconds: float) -> None:
        """Wait for `seconds`."""
