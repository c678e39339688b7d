"""Events on EventBridge."""

import json
import random
import time
from collections.abc import Iterable
from itertools import batched
from typing import Any

from instant.adapters.aws import client
from instant.domain.errors import UpstreamUnavailable

SOURCE = "instant.resources"
_AT_ONCE = 10
_ATTEMPTS = 4


class EventBridgeBus:
    """One bus; every event carries our source."""

    def __init__(self, name: str) -> None:
        """Use the bus of this name."""
        self._name = name

    def put(self, detail_type: str, detail: dict[str, object]) -> None:
        """Send one event."""
        if self._refused([self._entry(detail_type, detail)]):
            raise UpstreamUnavailable("The event could not be sent. Try again in a moment.", retry_after=1)

    def put_all(self, detail_type: str, details: Iterable[dict[str, object]]) -> int:
        """Send many, ten to a request, and say how many; what is refused is tried again, and may arrive twice."""
        sent = lost = 0
        for batch in batched(details, _AT_ONCE, strict=False):
            refused = self._insist([self._entry(detail_type, detail) for detail in batch])
            sent, lost = sent + len(batch) - refused, lost + refused
        if lost:
            raise UpstreamUnavailable(f"{lost} of {sent + lost} events could not be sent.", retry_after=1)
        return sent

    def _insist(self, entries: list[dict[str, Any]]) -> int:
        """How many were refused each time."""
        for attempt in range(_ATTEMPTS):
            if attempt:
                time.sleep(random.uniform(0, 0.05 * 2**attempt))
            entries = self._refused(entries)
            if not entries:
                break
        return len(entries)

    def _refused(self, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Send these; the service may refuse some inside a success, which is a failure all the same."""
        reply = client("events").put_events(Entries=entries)
        if not reply["FailedEntryCount"]:
            return []
        return [entry for entry, told in zip(entries, reply["Entries"], strict=True) if "ErrorCode" in told]

    def _entry(self, detail_type: str, detail: dict[str, object]) -> dict[str, Any]:
        return {
            "EventBusName": self._name,
            "Source": SOURCE,
            "DetailType": detail_type,
            "Detail": json.dumps(detail),
        }
