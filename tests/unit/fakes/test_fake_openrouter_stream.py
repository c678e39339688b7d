"""Fake streams: comments, chunks, usage in the last chunk, [DONE], and faults."""

import json
from typing import Any

import httpx
import pytest

from tests.unit.fakes.conftest import AUTHORIZATION, Ask

QUESTION = {"type": "object", "properties": {"q": {"type": "string"}}}

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


@pytest.mark.parametrize(("model", "last"), [("meadow/lark", None), ("anthropic/claude-haiku-4.5", "stop")])
def test_stream_usage_chunk_resets_or_repeats_the_finish_reason(ask: Ask, model: str, last: str | None) -> None:
    chunks, _ = stream(ask, "Tides?", model=model)
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks][-2:] == ["stop", last]


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
    assert chunks[-2]["choices"][0]["finish_reason"] == "tool_calls"


def test_stream_interleaves_parallel_tool_calls(ask: Ask) -> None:
    tools = [{"type": "function", "function": {"name": name, "parameters": QUESTION}} for name in ("see", "hear")]
    chunks, _ = stream(ask, "Where is it? [[fake: tool-calls]]", tools=tools)
    pieces = [chunk["choices"][0]["delta"]["tool_calls"][0] for chunk in chunks[:-2]]
    assert [piece["index"] for piece in pieces[:4]] == [0, 1, 0, 1]
    calls = ["".join(piece["function"]["arguments"] for piece in pieces if piece["index"] == index) for index in (0, 1)]
    assert [json.loads(arguments) for arguments in calls] == [{"q": "Where is it?"}] * 2


def test_stream_has_comments_before_and_between_chunks(ask: Ask) -> None:
    _, text = stream(ask, "Tides?")
    kinds = "".join("#" if part.startswith(":") else "." for part in text.split("\n\n")[:8])
    assert kinds == "##.#.#.."
    assert "\n\n:\n\n" in text


@pytest.mark.parametrize("model", ["anthropic/claude-sonnet-4.5", "openai/gpt-5-mini", "harbor/lighthouse-pro"])
def test_stream_returns_reasoning_details_in_pieces(ask: Ask, model: str) -> None:
    more: dict[str, Any] = {"model": model, "reasoning": {"effort": "low"}}
    chunks, _ = stream(ask, "Tides?", **more)
    found: dict[str, dict[str, Any]] = {}
    for detail in (part for chunk in chunks for part in chunk["choices"][0]["delta"].get("reasoning_details", [])):
        joined_detail = found.setdefault(detail["type"], {})
        for key, value in detail.items():
            grows = key in ("text", "summary", "signature")
            joined_detail[key] = joined_detail.get(key, "") + value if grows else value
    assert list(found.values()) == ask("Tides?", **more).json()["choices"][0]["message"]["reasoning_details"]


def test_stream_returns_an_image_on_one_line(ask: Ask) -> None:
    chunks, _ = stream(ask, "A cat", model="juniper/fresco-2", modalities=["image", "text"])
    pictures = [chunk for chunk in chunks if "images" in chunk["choices"][0]["delta"]]
    assert len(pictures) == 1


def test_stream_returns_a_large_image_on_one_line(ask: Ask) -> None:
    text = ask("A cat [[fake: data image/png 2]]", model="juniper/fresco-2", modalities=["image", "text"], stream=True)
    assert max(len(line) for line in text.text.splitlines()) > 2_000_000


def test_stream_returns_an_error_in_the_middle(ask: Ask) -> None:
    chunks, text = stream(ask, "Tides? [[fake: midstream-error]]")
    assert joined(chunks, "content")
    assert (chunks[-1]["error"]["code"], chunks[-1]["choices"][0]["finish_reason"]) == (502, None)
    assert "usage" in chunks[-1]
    assert text.endswith("data: [DONE]\n\n")


def test_stream_error_in_the_middle_comes_without_usage_on_request(ask: Ask) -> None:
    chunks, text = stream(ask, "Tides? [[fake: midstream-error]] [[fake: no-usage]] [[fake: no-done]]")
    assert ("error" in chunks[-1], "usage" in chunks[-1], "[DONE]" in text) == (True, False, False)
    whole = ask("Tides?").json()["choices"][0]["message"]["content"]
    assert 0 < len(joined(chunks, "content")) < len(whole)


def test_stream_has_other_line_ends_on_request(ask: Ask) -> None:
    _, text = stream(ask, "Tides?")
    lines = ask("Tides? [[fake: crlf]]", stream=True).text.split("\r\n")
    assert len(lines) == len(text.split("\n"))


def test_stream_is_one_body_on_request(ask: Ask) -> None:
    answer = ask("Tides? [[fake: plain-json]]", stream=True)
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json()["choices"][0]["message"]["content"] == joined(stream(ask, "Tides?")[0], "content")


@pytest.mark.parametrize("where", ["", "reasoning", "arguments"])
def test_stream_spreads_the_key_of_the_caller_over_deltas(ask: Ask, where: str) -> None:
    chunks, text = stream(ask, f"Tides? [[fake: show-key {where}]] [[fake: deltas 5]]")
    calls = [call for chunk in chunks for call in chunk["choices"][0]["delta"].get("tool_calls", [])]
    arguments = "".join(call["function"]["arguments"] for call in calls)
    key = AUTHORIZATION["Authorization"].removeprefix("Bearer ")
    assert key in (joined(chunks, where or "content") if where != "arguments" else arguments)
    assert key not in text


@pytest.mark.parametrize("text", ["show-key everywhere", "deltas", "deltas few"])
def test_stream_rejects_directives_without_a_meaning(ask: Ask, text: str) -> None:
    assert ask(f"Tides? [[fake: {text}]]", stream=True).status_code == 400


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
