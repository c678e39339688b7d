"""A key that a service repeats in a stream appears in no report, response or row, however it is spread."""

import json
from typing import Any

import pytest

from instant.domain.secret import MASK
from tests.fakes.openrouter.chat.stream import DONE
from tests.integration.app import GOOD_KEY, App
from tests.integration.streams.streamed import Streamed, stream

HEADERS = {"Content-Type": "text/event-stream", "X-Generation-Id": "gen-1"}
CONFIG = {"model": "anthropic/claude-haiku-4.5", "reasoning": {"max_tokens": 1024}, "max_tokens": 4000}
ESCAPED = "".join(f"\\u00{ord(each):02x}" for each in GOOD_KEY)


def shown(streamed: Streamed) -> str:
    """Return everything that was reported, and the response."""
    calls = "".join(call["arguments"] for call in streamed.calls)
    return "\n".join([streamed.events.text_after(""), streamed.reasoning, calls, json.dumps(streamed.body)])


def assert_masked(app: App, streamed: Streamed) -> None:
    """Assert that the key was reported and stored nowhere, not even its first half."""
    text = shown(streamed) + json.dumps(app.table("EXECUTIONS_TABLE"))
    assert MASK in text
    for spelled in (GOOD_KEY, ESCAPED):
        assert spelled[: len(spelled) // 2] not in text
    assert not any(delta.replace for delta in streamed.events.deltas)


def chunks_of(text: str, size: int, **more: Any) -> list[bytes]:
    """Return a stream of this text in pieces."""
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    choices = [{"index": 0, "delta": {"content": piece}, "finish_reason": None} for piece in pieces]
    chunks = [{"id": "gen-1", "choices": [choice], **more} for choice in choices]
    return [*(b"data: " + json.dumps(each).encode() + b"\n\n" for each in chunks), DONE]


@pytest.mark.parametrize("size", [1, 10, 1_000])
@pytest.mark.parametrize("where", ["show-key", "show-key reasoning", "show-key arguments"])
def test_key_in_a_stream_is_masked(seeded: App, where: str, size: int) -> None:
    resource_id = seeded.resource(config=CONFIG)["resource_id"]
    streamed = stream(seeded, resource_id, f"Say hello. [[fake: {where}]] [[fake: deltas {size}]]")
    assert streamed.code is None, streamed.body
    assert_masked(seeded, streamed)
    output = streamed.body["output"]
    content = output["content"]
    assert streamed.reasoning == output["reasoning"]
    assert streamed.calls == (content["tool_calls"] if isinstance(content, dict) else [])


@pytest.mark.parametrize("size", [1, 5, 1_000])
@pytest.mark.parametrize(
    "spelled", [GOOD_KEY, ESCAPED, ESCAPED.replace("\\", "\\\\")], ids=["key", "escaped", "deeper"]
)
def test_key_with_escapes_in_a_stream_is_masked(seeded: App, spelled: str, size: int) -> None:
    seeded.fake.script(200, headers=HEADERS, chunks=chunks_of(f"It is {spelled} now.", size))
    streamed = stream(seeded, seeded.resource()["resource_id"])
    assert streamed.events.text_after("") == streamed.body["output"]["content"] == f"It is {MASK} now."
    assert_masked(seeded, streamed)


def test_key_in_the_text_of_json_is_masked(seeded: App) -> None:
    resource_id = seeded.resource(config={**CONFIG, "response_format": {"type": "json_object"}})["resource_id"]
    seeded.fake.script(200, headers=HEADERS, chunks=chunks_of(f'{{"key": "{ESCAPED}"}}', 7))
    streamed = stream(seeded, resource_id)
    assert streamed.body["output"]["content"] == {"key": MASK}
    assert streamed.events.text_after("") == f'{{"key": "{MASK}"}}'
    assert_masked(seeded, streamed)


@pytest.mark.parametrize("is_cut", [False, True])
def test_key_in_the_facts_of_a_stream_is_masked(seeded: App, is_cut: bool) -> None:
    chunks = chunks_of("Hello.", 3, model=GOOD_KEY, provider=GOOD_KEY)
    headers = {"Content-Type": "text/event-stream"}
    chunks = [each.replace(b'"gen-1"', f'"{GOOD_KEY}"'.encode()) for each in chunks]
    seeded.fake.script(200, headers=headers, chunks=chunks[:-1] if is_cut else chunks, cut=is_cut)
    assert_masked(seeded, stream(seeded, seeded.resource()["resource_id"]))
    (row,) = seeded.table("EXECUTIONS_TABLE")
    assert {row[name]["S"] for name in ("generation_id", "model_served", "provider")} == {MASK}


def test_key_as_the_name_of_a_tool_call_is_masked(seeded: App) -> None:
    call = {"index": 0, "id": GOOD_KEY, "function": {"name": GOOD_KEY, "arguments": "{}"}}
    body = {"id": "gen-1", "choices": [{"index": 0, "delta": {"tool_calls": [call]}, "finish_reason": "tool_calls"}]}
    seeded.fake.script(200, headers=HEADERS, chunks=[b"data: " + json.dumps(body).encode() + b"\n\n", DONE])
    streamed = stream(seeded, seeded.resource()["resource_id"])
    assert streamed.calls == [{"id": MASK, "name": MASK, "arguments": "{}"}]
    assert_masked(seeded, streamed)


def test_parts_of_the_key_around_a_blank_part_are_not_reported(seeded: App) -> None:
    parts = [{"type": "text", "text": text} for text in (GOOD_KEY[:36], " ", GOOD_KEY[36:], " is it.")]
    choices = [{"index": 0, "delta": {"content": [part]}, "finish_reason": None} for part in parts]
    chunks = [b"data: " + json.dumps({"id": "gen-1", "choices": [choice]}).encode() + b"\n\n" for choice in choices]
    seeded.fake.script(200, headers=HEADERS, chunks=[*chunks, DONE])
    streamed = stream(seeded, seeded.resource()["resource_id"])
    assert_masked(seeded, streamed)
    assert streamed.events.text_after("") == streamed.body["output"]["content"] == f"{MASK} is it."
