"""Streams of POST /v1/responses through the whole app: typed events, and the response of the buffered call."""

import json
from typing import Any

import pytest

from tests.integration.app import GOOD_KEY, Answer, App
from tests.integration.openai.test_responses import HAIKU, THINKER, TOOL, respond

PAINTER = {"model": "juniper/fresco-2", "max_tokens": None}


def events(answer: Answer) -> list[dict[str, Any]]:
    """Return the events of a stream, whose names and numbers are checked."""
    assert answer.status == 200, answer.text
    assert answer.headers["Content-Type"] == "text/event-stream"
    blocks = [block.split("\n") for block in answer.text.removesuffix("\n\n").split("\n\n") if block[0] != ":"]
    found = [json.loads(data.removeprefix("data: ")) for _, data in blocks]
    assert [name for name, _ in blocks] == [f"event: {event['type']}" for event in found]
    assert [event["sequence_number"] for event in found] == [*range(len(found))]
    return found


def joined(found: list[dict[str, Any]], kind: str) -> str:
    """Return the pieces of all events of this kind."""
    return "".join(event["delta"] for event in found if event["type"] == f"response.{kind}.delta")


def lasting(response: dict[str, Any]) -> dict[str, Any]:
    """Return a response without the time of its request."""
    return {name: value for name, value in response.items() if name != "created_at"}


@pytest.fixture
def model(seeded: App) -> str:
    return str(seeded.resource()["address"])


def test_events_of_a_text_have_the_documented_order(seeded: App, model: str) -> None:
    found = events(respond(seeded, model, stream=True))
    types = [event["type"] for event in found]
    assert list(dict.fromkeys(types)) == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert types.count("response.output_text.delta") > 1
    (part,) = found[-1]["response"]["output"][0]["content"]
    assert joined(found, "output_text") == found[-4]["text"] == part["text"]
    recorded = seeded.call("GET", f"/api/executions/{found[0]['response']['id']}").json
    assert part["text"] == recorded["output"]["content"]


CASES: dict[str, tuple[dict[str, Any], str, dict[str, Any]]] = {
    "text": ({}, "Say hello.", {}),
    "reasoning and tool calls": (THINKER, "[[fake: tool-calls]]", {"tools": [TOOL]}),
    "refusal": ({}, "[[fake: refusal]]", {}),
    "json": ({"model": HAIKU}, "A place", {"text": {"format": {"type": "json_object"}}}),
    "citations": ({"model": HAIKU, "web_search": {"max_uses": 1, "max_results": 1}}, "News?", {}),
    "image": (PAINTER, "[[fake: picture png]]", {}),
    "at the limit": ({}, "Say hello.", {"max_output_tokens": 3}),
}


@pytest.mark.parametrize("name", CASES)
def test_last_event_has_the_response_of_the_buffered_call(seeded: App, name: str) -> None:
    seeded.call("PATCH", "/api/user/integrations/openrouter", {"max_cost_per_call_usd": "100"})
    config, prompt, fields = CASES[name]
    model, key = seeded.resource(config=config)["address"], {"Idempotency-Key": "order-1"}
    found = events(respond(seeded, model, prompt, stream=True, headers=key, **fields))
    buffered = respond(seeded, model, prompt, headers=key, **fields)
    assert lasting(found[-1]["response"]) == lasting(buffered.json)
    assert found[-1]["type"] == f"response.{buffered.json['status']}"
    ended = {event["item"]["id"]: event["item"] for event in found if event["type"] == "response.output_item.done"}
    assert list(ended.values()) == buffered.json["output"]
    assert len(seeded.fake.chat_requests) == 1


def test_reasoning_and_tool_calls_come_in_pieces(seeded: App) -> None:
    model = seeded.resource(config=THINKER)["address"]
    found = events(respond(seeded, model, "[[fake: tool-calls]]", stream=True, tools=[TOOL]))
    output = {item["type"]: item for item in found[-1]["response"]["output"]}
    assert joined(found, "reasoning_summary_text") == output["reasoning"]["summary"][0]["text"]
    assert joined(found, "function_call_arguments") == output["function_call"]["arguments"]
    added = [event["item"] for event in found if event["type"] == "response.output_item.added"]
    assert {item["status"] for item in added} == {"in_progress"}
    (call,) = (item for item in added if item["type"] == "function_call")
    assert (call["name"], call["call_id"]) == ("look_up", output["function_call"]["call_id"])


def test_error_before_the_first_event_has_its_status(seeded: App, model: str) -> None:
    answer = respond(seeded, model, "[[fake: error 429 7]]", stream=True)
    assert (answer.status, answer.code, answer.headers["Retry-After"]) == (429, "rate_limited", "7")
    assert answer.headers["Content-Type"] == "application/json"


def test_error_after_the_first_event_is_the_last_one(seeded: App, model: str) -> None:
    found = events(respond(seeded, model, "[[fake: midstream-error]]", stream=True))
    last = found[-1]
    assert (found[0]["type"], last["type"]) == ("response.created", "error")
    assert (last["code"], last["message"]) == (last["error"]["code"], last["error"]["message"])
    assert last["error"]["execution_id"] == found[0]["response"]["id"]


def test_repeat_of_a_stream_has_its_response_and_pays_nothing(seeded: App, model: str) -> None:
    first = events(respond(seeded, model, stream=True, headers={"X-Stainless-Retry-Count": "0"}))
    repeat = events(respond(seeded, model, stream=True, headers={"X-Stainless-Retry-Count": "1"}))
    assert lasting(repeat[-1]["response"]) == lasting(first[-1]["response"])
    assert joined(repeat, "output_text") == joined(first, "output_text")
    assert len(seeded.fake.chat_requests) == 1


def test_key_in_an_answer_is_masked(seeded: App, model: str) -> None:
    answer = respond(seeded, model, f"Say {GOOD_KEY}.", stream=True)
    assert events(answer)[-1]["type"] == "response.completed"
    assert GOOD_KEY not in answer.text
