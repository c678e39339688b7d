"""Scripted replies: exact bytes that a test queues, sent in the order of the queue."""

import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tests.fakes.openrouter.reply import JSON_TYPE, HangUp, Piece, Reply

Step = Piece


class Pause(threading.Event):
    """An event whose `wait` returns after the timeout, so it delays a reply; it can be used in several steps."""

    def wait(self, timeout: float | None = None) -> bool:
        """Return True after at most `timeout` seconds."""
        super().wait(timeout)
        return True


@dataclass(frozen=True)
class Script:
    """One raw reply. An Event among `steps` delays the rest of the reply until it is set.

    Nothing is sent before the first bytes, so a leading Event also delays the headers.
    With `cut`, the connection closes after the last step without completing the reply.
    """

    status: int
    headers: Mapping[str, str]
    steps: Sequence[Step] = field(repr=False)
    cut: bool = False

    def reply(self) -> Reply:
        """The reply that sends these bytes."""
        return Reply(self.status, dict(self.headers), self._play())

    def _play(self) -> Iterator[Step]:
        yield from self.steps
        if self.cut:
            raise HangUp


def raw(
    status: int,
    body: bytes,
    headers: Mapping[str, str] | None,
    chunks: Sequence[Step],
    cut: bool,
) -> Script:
    """A script of `chunks`, or of one `body` if there are none; the default content type is JSON."""
    return Script(status, JSON_TYPE if headers is None else headers, tuple(chunks) or (body,), cut)


class ScriptQueue:
    """The queued replies to the next chat calls: scripts, or lists of directives."""

    def __init__(self) -> None:
        self._queue: deque[Script | tuple[str, ...]] = deque()

    def put(self, item: Script | tuple[str, ...]) -> None:
        """Append an item."""
        self._queue.append(item)

    def take(self) -> Script | tuple[str, ...] | None:
        """Remove and return the oldest item, or None."""
        try:
            return self._queue.popleft()
        except IndexError:
            return None
