"""Reads a stream in pieces, and the same bytes as one reply."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from instant.domain.errors import InstantError
from instant.domain.exchange import Reply
from instant.domain.executions.failure import Effect, Failure
from instant.domain.executions.output import Answer, Delta
from instant.domain.executions.receipt import Receipt
from instant.integrations.openrouter.chat import MAX_TEXT_ANSWER_BYTES, read_chat
from instant.integrations.openrouter.streams.chat_stream import ChatStream

HEADERS = {"x-generation-id": "gen-1"}


@dataclass(frozen=True)
class Failed:
    """The facts of a failure."""

    error: type[InstantError]
    message: str
    effect: Effect
    receipt: Receipt
    is_counted: bool


@dataclass
class Streamed:
    """What a stream showed, and what was read from it at its end."""

    outcome: Answer | Failed | None = None
    text: str = ""
    reasoning: str = ""
    calls: dict[int, dict[str, Any]] = field(default_factory=dict)

    def show(self, delta: Delta) -> None:
        """Add the next piece."""
        self.text += delta.text
        self.reasoning += delta.reasoning
        if (piece := delta.tool_call) is not None:
            call = self.calls.setdefault(piece.index, {"id": piece.id, "name": piece.name, "arguments": ""})
            assert piece.id in (None, call["id"])
            assert piece.name in (None, call["name"])
            call["arguments"] += piece.arguments


def streamed(pieces: Iterable[bytes], most: int = MAX_TEXT_ANSWER_BYTES, **options: bool) -> Streamed:
    """Read the pieces of one stream."""
    reader, shown = ChatStream(most), Streamed()
    for piece in pieces:
        for delta in reader.feed(piece):
            shown.show(delta)
    shown.outcome = outcome(Reply(status=200, body=b"", headers=HEADERS, document=reader.finish()), **options)
    return shown


def buffered(body: bytes, **options: bool) -> Answer | Failed:
    """Read the same bytes as one reply."""
    return outcome(Reply(status=200, body=body, headers=HEADERS), **options)


def outcome(reply: Reply, **options: bool) -> Answer | Failed:
    """The answer, or the facts of the failure."""
    try:
        return read_chat(reply, **options)
    except Failure as failure:
        error, receipt = failure.error, failure.receipt
        return Failed(type(error), error.message, failure.effect, receipt or Receipt(), failure.is_counted)


def split(body: bytes, cuts: Sequence[int]) -> Iterator[bytes]:
    """The body in pieces that end at these places."""
    places = [0, *sorted({cut % (len(body) + 1) for cut in cuts}), len(body)]
    return (body[start:end] for start, end in pairwise(places))
