"""Fake streams: comments, chunks, usage in the last chunk, [DONE], and faults."""

import json
from typing import Any

import httpx
import pytest

from tests.unit.fakes.conftest import Ask

Chunks = list[dict[str, Any]]


def stream(ask: Ask, prompt: str, **more: Any) -> tuple[Chunks, str]:
    """The chunks of a streamed answer, and the text of the response."""
    answer = ask(prompt, stream=True, **more)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/event-stream")
    lines = answer.text.split("\n\n")
    assert lines[0] == ": OPENROUTER PROCESSING"
    data = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
    return [json.loads(line) for line in data if line != "[DONE]"], answer.text


def joined(chunks: Chunks, key: str) -> str:
    return "".join(chunk["choices"][0]["delta"].get(key) or "" for chunk in chunks)


def test_stream_chunks_join_to_the_whole_answer(ask: Ask) -> None:
    chunks, text = stream(ask, "List three ideas for lunch")
    whole = ask("List three ideas for lunch").json()["choices"][0]["message"]["content"]
    assert joined(chunks, "content") == whole
    assert len(chunks) > 5
    assert text.endswith("data: [DONE]\n\n")
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}


def test_stream_returns_usage_last_with_choices(ask: Ask) -> None:
    chunks, _ = stream(ask, "Tides?")
    assert [("usage" in chunk) for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert all(chunk["choices"] for chunk in chunks)
    assert chunks[-1]["usage"] == ask("Tides?").json()["usage"]
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks][-2:] == ["stop", "stop"]


def test_stream_returns_the_id_in_the_header(ask: Ask) -> None:
    answer = ask("Tides?", stream=True)
    assert f'"id":"{answer.headers["X-Generation-Id"]}"' in answer.text


def test_stream_returns_reasoning_first(ask: Ask) -> None:
    chunks, _ = stream(ask, "Tides?", model="openai/gpt-5-mini")
    assert joined(chunks, "reasoning").startswith("The user wants to know about Tides")
    assert joined(chunks[:1], "content") == ""


def test_stream_splits_a_tool_call_into_chunks(ask: Ask) -> None:
    chunks, _ = stream(ask, "Where is it? [[fake: tool-calls]]")
    pieces = [chunk["choices"][0]["delta"]["tool_calls"][0] for chunk in chunks[:-2]]
    arguments = "".join(piece["function"]["arguments"] for piece in pieces)
    assert json.loads(arguments) == {"q": "Where is it?"}
    assert ["id" in piece for piece in pieces] == [True] + [False] * (len(pieces) - 1)
    assert chunks[-1]["choices"][0]["finish_reason"] == "tool_calls"


def test_stream_returns_an_image_on_one_line(ask: Ask) -> None:
    chunks, _ = stream(ask, "A cat", model="juniper/fresco-2", modalities=["image", "text"])
    pictures = [chunk for chunk in chunks if "images" in chunk["choices"][0]["delta"]]
    assert len(pictures) == 1


def test_stream_returns_an_error_in_the_middle(ask: Ask) -> None:
    chunks, text = stream(ask, "Tides? [[fake: midstream-error]]")
    assert joined(chunks, "content")
    assert (chunks[-1]["error"]["code"], chunks[-1]["choices"][0]["finish_reason"]) == (502, None)
    assert "usage" in chunks[-1]
    assert text.endswith("data: [DONE]\n\n")


def test_stream_returns_an_error_instead_of_text(ask: Ask) -> None:
    chunks, _ = stream(ask, "Tides? [[fake: 200-error]]")
    assert [chunk["error"]["code"] for chunk in chunks] == [502]


def test_stream_ends_without_done_on_request(ask: Ask) -> None:
    _, text = stream(ask, "Tides? [[fake: no-done]]")
    assert "[DONE]" not in text


def test_stream_error_before_the_start_is_plain_json(ask: Ask) -> None:
    answer = ask("Tides? [[fake: error 429]]", stream=True)
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, 429)


@pytest.mark.parametrize("text", ["no-usage", "weird", "refusal", "empty", "null-content"])
def test_stream_applies_directives_that_change_the_answer(ask: Ask, text: str) -> None:
    chunks, _ = stream(ask, f"Tides? [[fake: {text}]]")
    assert ("usage" in chunks[-1]) == (text != "no-usage")
    assert bool(joined(chunks, "refusal")) == (text == "refusal")


def test_stream_returns_a_huge_chunk_on_one_line(ask: Ask) -> None:
    chunks, _ = stream(ask, "Tides? [[fake: huge]]")
    assert len(joined(chunks, "content")) > 4 * 1024 * 1024


def test_stream_closes_early_on_request(ask: Ask) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        ask("Tides? [[fake: truncated]]", stream=True)
