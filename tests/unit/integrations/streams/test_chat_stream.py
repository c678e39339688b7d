"""A chat stream reads the same in any pieces, as one reply, and as far as it arrived."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instant.domain.exchange import Reply, Unreadable
from instant.domain.executions.delivery import stream_facts, streamed_text
from instant.domain.executions.failure import Effect, Failure
from instant.domain.executions.output import Answer
from instant.domain.executions.receipt import Receipt
from instant.integrations.openrouter.chat import read_chat
from instant.integrations.openrouter.streams.chat_stream import ChatStream
from tests.fakes.openrouter.chat.stream import DONE
from tests.unit.integrations.streams.bodies import (
    CONTENTS,
    DETAILS,
    LIKE_TEXT,
    STREAMS,
    USAGE,
    WITHOUT_CHOICES,
    chunk,
)
from tests.unit.integrations.streams.reading import Failed, buffered, split, streamed

OPTIONS: tuple[dict[str, bool], ...] = ({}, {"wants_json": True}, {"wants_images": True})


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("name", STREAMS)
def test_stream_is_read_like_one_reply(name: str, options: dict[str, bool]) -> None:
    body = STREAMS[name]
    whole, bytewise = streamed([body], **options), streamed((body[at : at + 1] for at in range(len(body))), **options)
    assert whole == bytewise
    assert whole.outcome == buffered(body, **options)


@pytest.mark.parametrize("name", LIKE_TEXT)
def test_stream_is_read_with_any_framing(name: str) -> None:
    assert streamed([STREAMS[name]]) == streamed([STREAMS["text"]])
    assert isinstance(streamed([STREAMS[name]]).outcome, Answer)


@pytest.mark.parametrize("name", CONTENTS)
def test_stream_is_read_to_its_end(name: str) -> None:
    read = streamed([STREAMS[name]]).outcome
    assert isinstance(read, Answer)
    assert read.output["content"] == CONTENTS[name]


@given(st.sampled_from(sorted(STREAMS)), st.lists(st.integers(0, 10**6), max_size=30))
def test_stream_in_any_pieces_is_read_alike(name: str, cuts: list[int]) -> None:
    body = STREAMS[name]
    assert streamed(split(body, cuts)) == streamed([body])


@pytest.mark.parametrize("name", STREAMS)
def test_stream_shows_the_text_of_its_answer(name: str) -> None:
    read = streamed([STREAMS[name]])
    if not isinstance(read.outcome, Answer) or "whole message" in name or "one body" in name:
        return
    output = read.outcome.output
    assert read.text.replace("\ud83d", "") == streamed_text({"output": output, **stream_facts(read.outcome)}).rstrip(
        "?"
    )
    assert read.reasoning == output.get("reasoning", "")
    content = output["content"]
    calls = content["tool_calls"] if isinstance(content, dict) else []
    assert list(read.calls.values()) == calls


@pytest.mark.parametrize("name", STREAMS)
def test_stream_that_ends_early_is_no_answer(name: str) -> None:
    body = STREAMS[name]
    end = max(body.find(b"[DONE]"), 0) + len(b"[DONE]")
    between = {found.start() + 1 for found in re.finditer(rb"[\r\n]", body)}
    for at in sorted({*range(0, end, 11), *(place for place in between if place < end)}):
        try:
            read = streamed([body[:at]]).outcome
        except Unreadable:
            continue  # half of a character
        assert isinstance(read, Failed) or "one body" in name, body[:at]
        assert read == buffered(body[:at])
        if isinstance(read, Failed) and read.effect is Effect.KNOWN:
            assert read.receipt.cost_nanousd is not None


def test_stream_that_ends_early_keeps_what_is_known() -> None:
    pieces = [chunk({"content": "Hel"}, model="meadow/lark", provider="Meadow"), chunk({}, "stop", usage=USAGE)]
    first, second = (streamed(pieces[:count]).outcome for count in (1, 2))
    assert isinstance(first, Failed)
    assert isinstance(second, Failed)
    assert first.receipt == Receipt(generation_id="gen-1", model="meadow/lark", provider="Meadow")
    assert (first.effect, second.effect, second.receipt.cost_nanousd) == (Effect.UNKNOWN, Effect.KNOWN, 340)


@pytest.mark.parametrize("name", WITHOUT_CHOICES)
def test_stream_without_choices_keeps_what_is_known(name: str) -> None:
    reader = ChatStream(1_000)
    reader.feed(WITHOUT_CHOICES[name])
    with pytest.raises(Failure) as caught:
        read_chat(Reply(status=200, body=b"", document=reader.finish()))
    receipt = caught.value.receipt
    assert receipt is not None
    assert (receipt.generation_id, receipt.provider, receipt.cost_nanousd) == ("gen-2", "Meadow", 340)
    assert (caught.value.effect, caught.value.error.code) == (Effect.KNOWN, "upstream_error")


def test_stream_knows_its_facts_before_it_ends() -> None:
    reader = ChatStream(1_000)
    before = reader.known
    reader.feed(chunk({"content": "Hel"}, model="meadow/lark\ud83d", provider="Meadow"))
    assert before == Receipt()
    assert reader.known == Receipt(generation_id="gen-1", model="meadow/lark?", provider="Meadow")


@pytest.mark.parametrize("data", [b"data: \xff\n", b"data: {}\0\n", "data: {}\n".encode("utf-16")])
def test_stream_that_is_not_utf8_is_rejected(data: bytes) -> None:
    with pytest.raises(Unreadable):
        streamed([data])


def test_stream_that_ends_within_a_character_is_rejected() -> None:
    with pytest.raises(Unreadable):
        streamed(["data: é".encode()[:-1]])


def test_tool_call_pieces_have_the_index_of_their_call() -> None:
    nothing = {"index": 0, "id": "call_0", "type": "function", "function": {"arguments": ""}}
    named = {"index": 1, "id": "call_1", "function": {"name": "look", "arguments": ""}}
    other = {"index": 2, "id": "call_2", "function": {"name": "wait", "arguments": {"n": 1}}}
    rest = {"index": 1, "id": "call_1", "function": {"name": "look", "arguments": "{}"}}
    body = b"".join(chunk({"tool_calls": [piece]}) for piece in (nothing, named, other, rest)) + DONE
    read = streamed([body])
    assert read.calls == {
        0: {"id": "call_1", "name": "look", "arguments": "{}"},
        1: {"id": "call_2", "name": "wait", "arguments": ""},
    }
    assert isinstance(read.outcome, Answer)
    content = read.outcome.output["content"]
    assert isinstance(content, dict)
    assert [call["id"] for call in content["tool_calls"]] == ["call_1", "call_2"]


def details_of(*pieces: bytes) -> Any:
    """Return the reasoning details of the message in a stream."""
    reader = ChatStream(100_000)
    for piece in (*pieces, DONE):
        reader.feed(piece)
    return reader.finish()["choices"][0]["message"]["reasoning_details"]


def test_reasoning_details_are_joined_with_their_signatures() -> None:
    assert details_of(STREAMS["details"]) == DETAILS


def test_reasoning_detail_is_complete_when_it_is_signed() -> None:
    pieces: list[dict[str, Any]] = [
        {"text": "One"},
        {"signature": "1"},
        {"text": "Two"},
        {"signature": "2"},
        {"text": "Three", "index": 1},
    ]
    chunks = [chunk({"reasoning_details": [{"type": "reasoning.text", "index": 0, **piece}]}) for piece in pieces]
    found = [(detail["text"], detail.get("signature"), detail["index"]) for detail in details_of(*chunks)]
    assert found == [("One", "1", 0), ("Two", "2", 0), ("Three", None, 1)]


def test_reasoning_details_are_joined_by_type_and_index() -> None:
    pieces: list[dict[str, Any]] = [
        {"type": "reasoning.summary", "index": 0, "summary": "One"},
        {"type": "reasoning.text", "index": 0, "text": "Two "},
        {"type": "reasoning.text", "index": 1, "text": "Three "},
        {"type": "reasoning.encrypted", "index": 0, "data": "AA", "id": "rs_1"},
        {"type": "reasoning.encrypted", "index": 0, "data": "BB", "id": "rs_2"},
        {"type": "reasoning.text", "index": 0, "text": "more", "signature": "2"},
        {"type": "reasoning.text", "index": 1, "text": "too"},
        {"type": "reasoning.text", "text": "Four "},
        {"type": "reasoning.text", "text": "words"},
    ]
    assert details_of(*(chunk({"reasoning_details": [piece]}) for piece in pieces)) == [
        pieces[0],
        {"type": "reasoning.text", "index": 0, "text": "Two more", "signature": "2"},
        {"type": "reasoning.text", "index": 1, "text": "Three too"},
        pieces[3],
        pieces[4],
        {"type": "reasoning.text", "text": "Four words"},
    ]


def test_stream_shows_the_reasoning_of_one_field() -> None:
    body = chunk({"reasoning": "One", "reasoning_content": "One"}) + chunk({"reasoning_content": "Two", "content": "3"})
    read = streamed([body + DONE])
    assert isinstance(read.outcome, Answer)
    assert read.reasoning == read.outcome.output["reasoning"] == "One"


def test_arguments_that_are_json_itself_are_kept_when_an_empty_piece_follows() -> None:
    begin = {"index": 0, "id": "call_1", "function": {"name": "wait", "arguments": {"n": 1}}}
    end = {"index": 0, "function": {"arguments": ""}}
    read = streamed([*(chunk({"tool_calls": [piece]}) for piece in (begin, end)), DONE]).outcome
    assert isinstance(read, Answer)
    content = read.output["content"]
    assert isinstance(content, dict)
    assert [call["arguments"] for call in content["tool_calls"]] == ['{"n": 1}']
