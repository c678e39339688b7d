"""The events of a streamed execution: start, delta, image, done and error."""

from contextlib import AbstractContextManager
from typing import Any

from instant.domain.executions.delivery import deliverable
from instant.domain.executions.execution import Execution
from instant.domain.executions.output import Delta
from instant.domain.executions.prepared import Prepared
from instant.domain.json_values import json_text, one_line, utf8_text
from instant.entrypoints.executions.event_stream import EventStream
from instant.entrypoints.http.errors import to_instant_error
from instant.entrypoints.http.links import linked, with_links
from instant.use_cases.executions.streams.listener import Listener


class ExecutionEvents(Listener):
    """Sends the progress of one execution as events.

    The id of a delta is the number of code points of the text so far: a client that has lost its connection sends the
    last one as `Last-Event-ID`, and gets the rest.
    """

    def __init__(self, stream: EventStream, address: str, position: int = 0) -> None:
        """Send events to `stream`, with links below `address`; the client has `position` code points of the text."""
        self._stream = stream
        self._address = address
        self._position = position
        self._begin: dict[str, Any] = {}
        self._paths: list[str] = []

    def prepared(self, prepared: Prepared) -> None:
        """Remember what the first event says."""
        self._begin = {"execution_id": prepared.execution_id, "model": prepared.model}

    def joined(self, execution: Execution) -> None:
        """Remember what the first event says."""
        self._begin = {"execution_id": execution.execution_id, "model": execution.model}

    def started(self) -> None:
        """Send `start`."""
        self._send("start", self._begin)

    def delta(self, delta: Delta) -> None:
        """Send `delta`."""
        content = linked(_content(delta), self._paths, self._address)
        if "text" in content:
            self._position = len(content["text"]) + (0 if delta.replace else self._position)
        replace = {"replace": True} if delta.replace else {}
        self._send("delta", {**content, **replace}, self._position)

    def image(self, path: str, media_type: str | None) -> None:
        """Send `image`; texts that contain its path come later."""
        self._paths.append(path)
        self._send("image", {"url": self._address + path, "media_type": media_type})

    def idle(self) -> None:
        """Keep the connection alive."""
        self._stream.keep_alive()

    def done(self, stored: dict[str, Any]) -> None:
        """Send `done`, the last event: exactly what a call without a stream answers."""
        self._stream.send(json_text(with_links(deliverable(stored), self._address)), event="done")

    def reporting_errors(self) -> AbstractContextManager[None]:
        """Send an error as `error`, the last event; one before the first event is raised instead."""
        return self._stream.reporting_errors(lambda error: self._send("error", to_instant_error(error).body()))

    def _send(self, name: str, content: dict[str, Any], event_id: int | None = None) -> None:
        self._stream.send(one_line(utf8_text(content)), event=name, event_id=event_id)


def _content(delta: Delta) -> dict[str, Any]:
    if call := delta.tool_call:
        facts = {"index": call.index, "id": call.id, "name": call.name, "arguments": call.arguments}
        return {"tool_call": {name: value for name, value in facts.items() if value is not None}}
    return {"reasoning": delta.reasoning} if delta.reasoning else {"text": delta.text}
