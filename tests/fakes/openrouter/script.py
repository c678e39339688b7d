"""Explicit answers: exact bytes that a test wants to see sent, in the order in which it queued them."""

import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tests.fakes.openrouter.reply import JSON_TYPE, HangUp, Reply

Step = bytes | threading.Event


class Pause(threading.Event):
    """A gate that opens by itself after a moment; it can stand among the steps again and again."""

    def wait(self, timeout: float | None = None) -> bool:
        """True after `timeout`."""
        super().wait(timeout)
        return True


@dataclass(frozen=True)
class Script:
    """One raw answer. An Event among `steps` holds the answer back until it is set.

    Nothing at all is sent before the first bytes, so a leading Event also holds back the headers.
    With `cut` the connection closes after the last step, the answer unfinished.
    """

    status: int
    headers: Mapping[str, str]
    steps: Sequence[Step] = field(repr=False)
    cut: bool = False

    def reply(self, stopping: threading.Event) -> Reply:
        """The answer, byte for byte."""
        return Reply(self.status, dict(self.headers), self._play(stopping))

    def _play(self, stopping: threading.Event) -> Iterator[bytes]:
        for step in self.steps:
            if isinstance(step, bytes):
                yield step
            else:
                hold(step, stopping)
        if self.cut:
            raise HangUp


def raw(
    status: int,
    body: bytes,
    headers: Mapping[str, str] | None,
    chunks: Sequence[Step],
    cut: bool,
) -> Script:
    """A script of one `body`, or of `chunks` when there are any; JSON unless `headers` say otherwise."""
    return Script(status, JSON_TYPE if headers is None else headers, tuple(chunks) or (body,), cut)


def hold(gate: threading.Event, stopping: threading.Event) -> None:
    """Wait for the gate; HangUp when the server stops first."""
    while not gate.wait(0.01):
        if stopping.is_set():
            raise HangUp


class ScriptQueue:
    """What the next chat calls get instead of their own answer: a script, or a list of directives."""

    def __init__(self) -> None:
        self._queue: deque[Script | tuple[str, ...]] = deque()

    def put(self, item: Script | tuple[str, ...]) -> None:
        """Append an answer."""
        self._queue.append(item)

    def take(self) -> Script | tuple[str, ...] | None:
        """The oldest answer, or None."""
        try:
            return self._queue.popleft()
        except IndexError:
            return None
