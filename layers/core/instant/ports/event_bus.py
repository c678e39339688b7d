"""Events to other functions."""

from collections.abc import Iterable
from typing import Protocol


class EventBus(Protocol):
    """Events to other functions."""

    def put(self, detail_type: str, detail: dict[str, object]) -> None:
        """Send one event."""

    def put_all(self, detail_type: str, details: Iterable[dict[str, object]]) -> int:
        """Send events and return their number; `UpstreamUnavailable` if some failed, after the others were sent."""
