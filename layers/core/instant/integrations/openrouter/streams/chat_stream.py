"""Reads a chat completion while it arrives as server-sent events."""

from typing import Any

from instant.domain.exchange import Reply, too_long
from instant.domain.executions.output import Delta
from instant.domain.executions.receipt import Receipt
from instant.domain.json_values import map_strings
from instant.integrations.openrouter.json_text import clean
from instant.integrations.openrouter.parsing import receipt_of, text
from instant.integrations.openrouter.streams.completion import Completion
from instant.integrations.openrouter.streams.events import EventReader


class ChatStream:
    """One chat completion, in the memory of its answer, however long the stream is."""

    def __init__(self, most: int) -> None:
        """Accept an answer of at most `most` bytes."""
        self._most = most
        self._events = EventReader(most)
        self._completion = Completion()

    def feed(self, data: bytes) -> list[Delta]:
        """What the next bytes add to the answer; raises `TooLarge`, or `Unreadable` if they are not text."""
        return [delta for value in self._events.feed(data) for delta in self._add(value)]

    def finish(self) -> Any:
        """The completion as the document of a reply, with clean strings; None if it is none."""
        for value in self._events.finish():
            self._add(value)
        try:
            document = self._completion.document(is_done=self._events.is_done, is_broken=self._events.is_broken)
        except ValueError:
            return None
        return map_strings(document, clean)

    @property
    def known(self) -> Receipt:
        """The facts that have arrived so far."""
        facts = map_strings(self._completion.facts, clean)
        return receipt_of(Reply(status=200, body=b""), facts, text(self._completion.finish_reason))

    @property
    def is_done(self) -> bool:
        """Whether `[DONE]` has arrived."""
        return self._events.is_done

    def _add(self, value: Any) -> list[Delta]:
        deltas = self._completion.add(value)
        if self._completion.size > self._most:
            raise too_long(self._most)
        return deltas
