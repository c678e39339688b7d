"""The response of a running function: whole, or as a stream that begins with a prelude of status and headers."""

import json
import time
from collections.abc import Iterator
from queue import Empty, SimpleQueue

from tests.local.api.proxy import InvalidProxyResponse
from tests.local.functions.invocation import EventTooLarge, Outcome
from tests.local.template import Json

PRELUDE_LIMIT = 16 * 1024
"""The maximum size of a prelude with its end, in bytes."""

IDLE_SECONDS = 300.0
"""The maximum time between two pieces of a response, as for a Regional API."""

_END_OF_PRELUDE = bytes(8)


class Pieces:
    """What a function has sent so far, added by another thread; all of it within `seconds`."""

    def __init__(self, seconds: float, idle: float) -> None:
        """Begin to measure the time; at most `idle` seconds may pass between two pieces."""
        self._added = SimpleQueue[bytes | Outcome | None]()
        self._end = time.monotonic() + seconds
        self._idle = idle

    def add(self, piece: bytes) -> None:
        """Add a piece of a stream."""
        self._added.put(piece)

    def end(self, outcome: Outcome | None) -> None:
        """End the response; None means that the event is too large."""
        self._added.put(outcome)

    def outcome(self) -> Outcome:
        """The outcome of a function that does not stream; raises TimeoutError or EventTooLarge."""
        while isinstance(piece := self._next(), bytes):
            pass
        if piece is None:
            raise EventTooLarge
        return piece

    def __iter__(self) -> Iterator[bytes]:
        """Iterate the pieces, or all of an answer that is no stream; raises ConnectionError if the function failed."""
        piece = self._next()
        is_stream = isinstance(piece, bytes)
        while isinstance(piece, bytes):
            yield piece
            piece = self._next()
        if piece is None:
            raise EventTooLarge
        if piece.failed:
            raise ConnectionError("the function failed")
        if not is_stream:
            yield piece.payload

    def _next(self) -> bytes | Outcome | None:
        try:
            return self._added.get(timeout=max(0.0, min(self._idle, self._end - time.monotonic())))
        except Empty:
            raise TimeoutError from None


def read_prelude(pieces: Iterator[bytes]) -> tuple[Json, bytes]:
    """The prelude, and the part of the body that came with it; raises InvalidProxyResponse."""
    received = b""
    for piece in pieces:
        received += piece
        head, end, rest = received.partition(_END_OF_PRELUDE)
        if end and len(head) + len(end) <= PRELUDE_LIMIT:
            return _parsed(head), rest
        if len(received) >= PRELUDE_LIMIT:
            break
    raise InvalidProxyResponse


def _parsed(head: bytes) -> Json:
    try:
        content = json.loads(head)
    except ValueError as error:
        raise InvalidProxyResponse from error
    if not isinstance(content, dict):
        raise InvalidProxyResponse
    return content
