"""Typed events of a streamed response: their numbers, and the items and parts that were begun."""

from typing import Any

from instant.domain.json_values import one_line, utf8_text
from instant.entrypoints.executions.event_stream import EventStream
from instant.entrypoints.http.fields import JsonObject


class TypedEvents:
    """Sends events with increasing numbers, and begins each item and each of its parts once."""

    def __init__(self, stream: EventStream) -> None:
        """Send events to `stream`."""
        self._stream = stream
        self._number = 0
        self._indexes: dict[str, int] = {}
        self._parts = set[tuple[str, int]]()

    def send(self, name: str, /, **fields: Any) -> None:
        """Send an event."""
        self._send(name, one_line(utf8_text(fields))[1:-1])

    def send_response(self, name: str, response: str) -> None:
        """Send an event with a response, which is JSON text."""
        self._send(name, f'"response":{one_line(response)}')

    def begin_item(self, item: Any) -> JsonObject:
        """Begin an item unless it was begun; return the fields that name it in other events."""
        item_id = item["id"]
        if item_id not in self._indexes:
            self._indexes[item_id] = len(self._indexes)
            self.send("response.output_item.added", output_index=self._indexes[item_id], item=item)
        return {"item_id": item_id, "output_index": self._indexes[item_id]}

    def begin_part(self, name: str, place: JsonObject, index_name: str, index: int, part: JsonObject) -> JsonObject:
        """Begin a part of an item unless it was begun; return the fields that name it in other events."""
        named = {**place, index_name: index}
        if (place["item_id"], index) not in self._parts:
            self._parts.add((place["item_id"], index))
            self.send(f"{name}.added", **named, part=part)
        return named

    def end_item(self, item: Any) -> None:
        """End an item."""
        self.send("response.output_item.done", output_index=self._indexes[item["id"]], item=item)

    def _send(self, name: str, fields: str) -> None:
        self._stream.send(f'{{"type":"{name}","sequence_number":{self._number},{fields}}}', event=name)
        self._number += 1
