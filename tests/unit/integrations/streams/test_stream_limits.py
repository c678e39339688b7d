"""A stream takes the memory of its answer, and an answer has a maximum size."""

import tracemalloc
from collections.abc import Iterable
from typing import Any

import pytest

from instant.domain.errors import TooLarge
from instant.integrations.openrouter.streams.chat_stream import ChatStream
from tests.fakes.openrouter.chat.stream import COMMENT, DONE
from tests.unit.integrations.streams.bodies import chunk
from tests.unit.integrations.streams.reading import streamed

MOST = 20_000
OVERHEAD = 30_000
"""What a reader, its regular expressions and one chunk take, in bytes."""


def peak(pieces: Iterable[bytes], most: int = MOST) -> int:
    """Return the memory that reading takes at most, in bytes."""
    reader = ChatStream(most)
    tracemalloc.start()
    try:
        for piece in pieces:
            reader.feed(piece)
        reader.finish()
    finally:
        taken = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return taken


def deltas(delta: dict[str, Any], count: int) -> Iterable[bytes]:
    """Return so many equal chunks."""
    return (piece for piece in [chunk(delta)] for _ in range(count))


DETAIL = {"type": "reasoning.text", "text": "a", "format": None, "index": 0}
TINY: dict[str, dict[str, Any]] = {
    "text": {"content": "a"},
    "reasoning": {"reasoning": "a", "reasoning_details": [DETAIL]},
    "parts": {"content": [{"type": "text", "text": "a"}]},
    "arguments": {"tool_calls": [{"index": 0, "function": {"arguments": "a"}}]},
    "nothing": {},
}


@pytest.mark.parametrize("name", TINY)
def test_stream_of_tiny_chunks_takes_the_memory_of_its_answer(name: str) -> None:
    assert peak(deltas(TINY[name], 4_000)) < 3 * 4_000 + OVERHEAD


def test_stream_of_comments_takes_no_memory() -> None:
    assert peak(COMMENT * 100 for _ in range(200)) < OVERHEAD


@pytest.mark.parametrize("size", [1_000, 65_536])
def test_long_line_takes_three_times_its_size(size: int) -> None:
    url = "data:image/png;base64," + "A" * 2_000_000
    line = chunk({"images": [{"type": "image_url", "image_url": {"url": url}}]})
    assert peak((line[at : at + size] for at in range(0, len(line), size)), 2_100_000) < 3 * 2_100_000


@pytest.mark.parametrize(
    "delta",
    [
        {"content": "é" * 100},
        {"refusal": "a" * 100},
        {"images": [{"type": "image_url"}]},
        {"annotations": [None]},
        {"reasoning_details": [{"type": "reasoning.encrypted", "data": "a" * 100}]},
        {"reasoning_details": [{"type": "reasoning.text", "index": 0, "text": "a", "signature": "b"}] * 9},
        {"content": [{"type": "image_url"}, {"type": "text", "text": "a"}]},
        {"tool_calls": [{"function": {"name": "look"}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": "a" * 100}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": {"n": "a" * MOST}}}]},
    ],
    ids=str,
)
def test_answer_has_a_maximum_size(delta: dict[str, Any]) -> None:
    with pytest.raises(TooLarge) as caught:
        streamed(deltas(delta, MOST // 50), MOST)
    assert caught.value.details == {"limit": "answer_bytes", "most": MOST}


@pytest.mark.parametrize(
    "pieces",
    [
        [b"data: " + b" " * 1_000] * 30,
        [b": " + b"a" * 1_000] * 30,
        [b"data: {\n"] * 1_000,
        [b"data: {\n\n"] * 1_000,
        [b'data: {"%d": "%s"}\n' % (number, b"a" * 1_000) for number in range(30)],
        [b'data: {"choices": [{"message": {"content": "%s"}}]}\n' % (b"a" * (MOST - 100))],
    ],
    ids=["blanks in one line", "one comment", "lines of one value", "no JSON", "facts", "message"],
)
def test_stream_has_a_maximum_of_what_must_be_kept(pieces: list[bytes]) -> None:
    with pytest.raises(TooLarge):
        streamed(pieces, MOST)


def test_answer_of_the_maximum_size_is_read() -> None:
    facts = 5_000
    for _ in range(2):  # the size of the chunks around it does not count
        assert streamed([*deltas({"content": "a"}, MOST - facts), COMMENT * 1_000, DONE], MOST).text == "a" * (
            MOST - facts
        )
