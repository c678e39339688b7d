"""Events on EventBridge."""

import json
import time
from collections.abc import Iterable, Iterator
from typing import Any, override

from instant.adapters.aws.client import client
from instant.domain.backoff import Backoff
from instant.domain.errors import UpstreamUnavailable
from instant.ports.event_bus import EventBus

SOURCE = "instant.resources"
MAX_BYTES = 200_000
"""Maximum size of the events in one request, in bytes; the service accepts 256 KiB including overhead."""

_AT_ONCE = 10
_BACKOFF = Backoff(attempts=4, initial=0.1, max=0.4)


class EventBridgeBus(EventBus):
    """Sends events to one bus; every event has the source of this application."""

    def __init__(self, name: str) -> None:
        """Use the bus of this name."""
        self._name = name

    @override
    def put(self, detail_type: str, detail: dict[str, object]) -> None:
        if self._refused([self._entry(detail_type, detail)]):
            raise UpstreamUnavailable("The event could not be sent. Try again in a moment.", retry_after=1)

    @override
    def put_all(self, detail_type: str, details: Iterable[dict[str, object]]) -> int:
        """Send events, ten per request; returns the number sent. Rejected events are retried (at-least-once)."""
        sent = lost = 0
        for batch in _batches(self._entry(detail_type, detail) for detail in details):
            refused = self._insist(batch)
            sent, lost = sent + len(batch) - refused, lost + refused
        if lost:
            raise UpstreamUnavailable(f"{lost} of {sent + lost} events could not be sent.", retry_after=1)
        return sent

    def _insist(self, entries: list[dict[str, Any]]) -> int:
        """The number of entries that are still rejected after the last attempt."""
        for delay in (0.0, *_BACKOFF.delays()):
            time.sleep(delay)
            entries = self._refused(entries)
            if not entries:
                break
        return len(entries)

    def _refused(self, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Send these entries; a successful response may contain rejected entries, which count as failures."""
        reply = client("events").put_events(Entries=entries)
        if not reply["FailedEntryCount"]:
            return []
        return [entry for entry, result in zip(entries, reply["Entries"], strict=True) if "ErrorCode" in result]

    def _entry(self, detail_type: str, detail: dict[str, object]) -> dict[str, Any]:
        return {
            "EventBusName": self._name,
            "Source": SOURCE,
            "DetailType": detail_type,
            "Detail": json.dumps(detail),
        }


def _batches(entries: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Split entries into requests by number and by size; the JSON is ASCII, so bytes are characters."""
    batch: list[dict[str, Any]] = []
    size = 0
    for entry in entries:
        length = len(entry["Detail"])
        if batch and (len(batch) == _AT_ONCE or size + length > MAX_BYTES):
            yield batch
            batch, size = [], 0
        batch, size = [*batch, entry], size + length
    if batch:
        yield batch
