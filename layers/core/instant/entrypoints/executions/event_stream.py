"""A response of server-sent events: when it begins, how events are written, and its keep-alive comments."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from aws_lambda_powertools.event_handler.openapi.types import OpenAPIResponse

from instant.domain.errors import InvalidField
from instant.entrypoints.http.stream import Start, Write
from instant.ports.clock import Clock

IDLE_SECONDS = 10
"""Maximum seconds without a byte: a response without events begins after them, and continues with comments."""

MAX_PIECE = 65_536
"""Maximum characters of an event that are sent at once."""

CONTENT_TYPE = "text/event-stream"

_EVENTS = """Server-sent events, each with one line of JSON.

- `start`: `{"execution_id", "model"}`; the service has begun to answer.
- `delta`: one of `{"text"}`, `{"reasoning"}` and `{"tool_call": {"index", "id", "name", "arguments"}}`, a piece of the
  output. With `"replace": true`, it replaces all earlier pieces of its kind. Its `id` is the number of Unicode code
  points of the text so far.
- `image`: `{"url", "media_type"}`; an image is stored.
- `done`: the response of `POST /api/execute`. It is the last event of a successful call.
- `error`: the body of an error response. It is the last event of a failed call.

Comments (lines that begin with a colon) keep the connection alive."""

EVENTS_SCHEMA = {"description": "Server-sent events, as described for the response."}
"""The schema of a stream of events in OpenAPI 3.1, which has no term for the schema of one event."""

_ID = re.compile("[0-9]{1,9}")
_KEEP_ALIVE = b": keep-alive\n\n"


def documented_events() -> dict[int, OpenAPIResponse]:
    """The response of a route that streams, for the OpenAPI document."""
    return {200: {"description": _EVENTS, "content": {CONTENT_TYPE: {"schema": dict(EVENTS_SCHEMA)}}}}


def last_event_id(app: APIGatewayRestResolver) -> int:
    """The id of the last event that the client has received; 0 without one."""
    value = app.current_event.headers.get("Last-Event-ID")
    if value is None:
        return 0
    if not _ID.fullmatch(value):
        raise InvalidField.named("Last-Event-ID", "must be the id of an event of this stream, which is a number")
    return int(value)


class EventStream:
    """The events of one response, which begins with the first of them; `headers` can be added until then."""

    def __init__(self, start: Start, clock: Clock, *, renew_lease: Callable[[], None] = lambda: None) -> None:
        """Begin to measure the time, but not yet the response; `renew_lease` is called about once a second."""
        self.headers = {"Content-Type": [CONTENT_TYPE]}
        self._start = start
        self._clock = clock
        self._renew_lease = renew_lease
        self._write: Write | None = None
        self._last = clock.monotonic()

    @property
    def has_begun(self) -> bool:
        """Whether status and headers have been sent: a failure is an event from then on."""
        return self._write is not None

    def send(self, data: str, *, event: str | None = None, event_id: int | None = None) -> None:
        """Send an event; `data` is one line, and is sent in pieces if it is long: it is not copied as a whole."""
        name = f"event: {event}\n" if event else ""
        number = f"id: {event_id}\n" if event_id is not None else ""
        if len(data) <= MAX_PIECE:
            self._send(f"{name}{number}data: {data}\n\n".encode())
            return
        self._send(f"{name}{number}data: ".encode())
        for start in range(0, len(data), MAX_PIECE):
            self._send(data[start : start + MAX_PIECE].encode())
        self._send(b"\n\n")

    def keep_alive(self) -> None:
        """Send a comment if nothing was sent for ten seconds; to be called about once a second."""
        self._renew_lease()
        if self._clock.monotonic() - self._last >= IDLE_SECONDS:
            self._send(_KEEP_ALIVE)

    @contextmanager
    def reporting_errors(self, report: Callable[[Exception], object]) -> Iterator[None]:
        """Report an error as the last event; one before the first event is raised instead."""
        try:
            yield
        except Exception as error:
            if not self.has_begun:
                raise
            report(error)

    def _send(self, data: bytes) -> None:
        if self._write is None:
            self._write = self._start(200, self.headers)
        self._last = self._clock.monotonic()
        self._write(data)
