"""Holds a stream at a chunk until a test releases it, so that the test needs no sleeps."""

import threading
from collections.abc import Iterable, Iterator, Sequence

from tests.fakes.openrouter.reply import Piece
from tests.timeouts import HANG_SECONDS

DATA = b"data: {"


class StreamHold(threading.Event):
    """Holds a stream after a number of chunks until it is released."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.after = after
        self._reached = threading.Event()

    def wait_until_reached(self, timeout: float = HANG_SECONDS) -> bool:
        """Block until the stream has sent its chunks before the hold; return False on a timeout."""
        return self._reached.wait(timeout)

    def release(self) -> None:
        """Let the stream go on."""
        self.set()

    def reach(self) -> None:
        """Record that the stream waits here."""
        self._reached.set()


def is_chunk(piece: Piece) -> bool:
    """Whether a piece of a stream is a chunk, not a comment, `[DONE]` or a hold."""
    return isinstance(piece, bytes) and piece.startswith(DATA)


def with_holds(pieces: Iterable[bytes], holds: Sequence[StreamHold]) -> Iterator[Piece]:
    """The pieces of a stream, with each hold after its number of chunks."""
    sent = 0
    for piece in pieces:
        if not piece.startswith(b":"):
            yield from (hold for hold in holds if hold.after == sent)
            sent += 1
        yield piece
