"""A response of server-sent events: when it begins, how events are written, and its keep-alive comments."""

from instant.entrypoints.http.stream import Start, Write
from instant.ports.clock import Clock

IDLE_SECONDS = 10
"""Maximum seconds without a byte: a response without events begins after them, and continues with comments."""

CONTENT_TYPE = "text/event-stream"

_KEEP_ALIVE = b": keep-alive\n\n"


class EventStream:
    """The events of one response, which begins with the first of them; `headers` can be added until then."""

    def __init__(self, start: Start, clock: Clock) -> None:
        """Begin to measure the time, but not yet the response."""
        self.headers = {"Content-Type": [CONTENT_TYPE]}
        self._start = start
        self._clock = clock
        self._write: Write | None = None
        self._last = clock.monotonic()

    @property
    def has_begun(self) -> bool:
        """Whether status and headers have been sent: a failure is an event from then on."""
        return self._write is not None

    def send(self, data: str, *, event: str | None = None, event_id: int | None = None) -> None:
        """Send an event; `data` is one line."""
        name = f"event: {event}\n" if event else ""
        number = f"id: {event_id}\n" if event_id is not None else ""
        self._send(f"{name}{number}data: {data}\n\n".encode())

    def keep_alive(self) -> None:
        """Send a comment if nothing was sent for ten seconds; to be called about once a second."""
        if self._clock.monotonic() - self._last >= IDLE_SECONDS:
            self._send(_KEEP_ALIVE)

    def _send(self, data: bytes) -> None:
        if self._write is None:
            self._write = self._start(200, self.headers)
        self._last = self._clock.monotonic()
        self._write(data)
