"""Conversations through POST /api/execute: what is sent, what comes back, and what is rejected."""

import json
from typing import Any

import pytest

from tests.integration.app import GOOD_KEY, Answer, App

CLAUDE = "anthropic/claude-sonnet-4.5"
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "description": "The weather of a city.",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
        },
    }
]
HELLO: dict[str, Any] = {"role": "user", "content": "Say hello."}
SYSTEM: dict[str, Any] = {"role": "system", "content": "Rhyme."}
PICTURE = {"type": "image_url", "image_url": {"url": "https://pictures.example/a.png"}}


def converse(app: App, resource: dict[str, Any], *messages: Any, **more: Any) -> Answer:
    """Execute the resource with these messages."""
    call = {"resource_id": resource["resource_id"], "inputs": {"messages": [*messages]}, **more}
    return app.call("POST", "/api/execute", call)


def sent_messages(app: App) -> Any:
    """Return the messages of the last request to the service."""
    return app.fake.chat_requests[-1].json["messages"]


def turn_with_tools(app: App, resource: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the output of a turn in which the model calls a tool, and the conversation so far."""
    asked = {"role": "user", "content": "[[fake: tool-calls]] What is the weather in Rome?"}
    answer = converse(app, resource, asked)
    assert answer.status == 200, answer.text
    output = answer.json["output"]
    said = {
        "role": "assistant",
        "content": output["content"]["text"],
        "tool_calls": output["content"]["tool_calls"],
        "reasoning": output.get("reasoning"),
        "reasoning_details": output.get("reasoning_details"),
    }
    call_id = output["content"]["tool_calls"][0]["id"]
    return output, [asked, said, {"role": "tool", "tool_call_id": call_id, "content": "Sunny, 24 degrees."}]


@pytest.mark.parametrize("model", [CLAUDE, "openai/gpt-5-mini"])
def test_conversation_continues_after_the_results_of_tools_with_its_reasoning(seeded: App, model: str) -> None:
    resource = seeded.resource(config={"model": model, "tools": TOOLS, "reasoning": {"effort": "low"}})
    output, conversation = turn_with_tools(seeded, resource)
    answer = converse(seeded, resource, *conversation)
    assert answer.status == 200, answer.text
    assert "Sunny, 24 degrees." in answer.json["output"]["content"]
    said = sent_messages(seeded)[1]
    assert said["reasoning_details"] == output["reasoning_details"]
    assert said["tool_calls"][0]["function"].keys() == {"name", "arguments"}


def test_conversation_with_changed_reasoning_is_rejected_by_the_service(seeded: App) -> None:
    resource = seeded.resource(config={"model": CLAUDE, "tools": TOOLS, "reasoning": {"effort": "low"}})
    _, conversation = turn_with_tools(seeded, resource)
    conversation[1]["reasoning_details"][0]["text"] += " "
    assert converse(seeded, resource, *conversation).code == "invalid_field"


def test_structured_reasoning_is_stored_with_the_execution(seeded: App) -> None:
    resource = seeded.resource(config={"model": CLAUDE, "reasoning": {"effort": "low"}})
    body = converse(seeded, resource, HELLO).json
    (detail,) = body["output"]["reasoning_details"]
    assert (detail["type"], detail["text"]) == ("reasoning.text", body["output"]["reasoning"])
    assert detail["signature"]
    assert detail["text"] not in body["output"]["content"]
    stored = seeded.call("GET", f"/api/executions/{body['execution_id']}").json
    assert stored["output"] == body["output"]


def test_structured_reasoning_shows_no_key(seeded: App) -> None:
    resource = seeded.resource()
    detail = {"type": "reasoning.text", "text": f"The key is {GOOD_KEY}.", "signature": GOOD_KEY}
    message = {"content": "4", "reasoning_details": [detail]}
    seeded.fake.script(200, json.dumps({"choices": [{"message": message}], "usage": {"cost": 0.1}}).encode())
    answer = converse(seeded, resource, HELLO)
    assert answer.json["output"]["reasoning_details"] == [
        {"type": "reasoning.text", "text": "The key is [key].", "signature": "[key]"}
    ]


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, [SYSTEM, HELLO]),
        ({"system_prompt": "Be brief.", "allow_system_messages": True}, ["Be brief.", SYSTEM, HELLO]),
        ({"system_prompt": "Be brief."}, None),
        ({"allow_system_messages": False}, None),
    ],
)
@pytest.mark.parametrize("role", ["system", "developer"])
def test_conversation_takes_messages_of_the_system_if_the_owner_allows_it(
    seeded: App, config: dict[str, Any], expected: list[Any] | None, role: str
) -> None:
    resource = seeded.resource(config=config)
    answer = converse(seeded, resource, {**SYSTEM, "role": role}, HELLO)
    if expected is None:
        assert (answer.status, answer.json["error"]["details"]["field"]) == (422, "inputs.messages.0.role")
        assert seeded.fake.chat_requests == []
        return
    assert answer.status == 200, answer.text
    owners = [{"role": "system", "content": each} if isinstance(each, str) else each for each in expected]
    assert sent_messages(seeded) == owners


@pytest.mark.parametrize(
    ("inputs", "field"),
    [
        ({"messages": []}, "inputs.messages"),
        ({"messages": "Say hello."}, "inputs.messages"),
        ({"messages": [HELLO], "prompt": "Say hello."}, "inputs.prompt"),
        ({"messages": [HELLO], "images": []}, "inputs.images"),
        ({"messages": None}, "inputs.prompt"),
        ({"messages": [{"role": "user", "content": [PICTURE]}]}, "inputs"),
        ({"messages": [HELLO, {"role": "tool", "tool_call_id": "x", "content": ""}]}, "inputs.messages.1.tool_call_id"),
    ],
)
def test_conversation_is_rejected_by_name_at_no_cost(seeded: App, inputs: dict[str, Any], field: str) -> None:
    resource = seeded.resource()
    for path in ("/api/execute", "/api/resources/preview"):
        answer = seeded.call("POST", path, {"resource_id": resource["resource_id"], "inputs": inputs})
        assert (answer.status, answer.json["error"]["details"]["field"]) == (422, field)
    assert seeded.fake.chat_requests == []


def test_conversation_is_previewed_as_it_is_sent(seeded: App) -> None:
    resource = seeded.resource(config={"model": "google/gemini-2.5-flash", "max_tokens": 50})
    call = {"resource_id": resource["resource_id"], "inputs": {"messages": [SYSTEM, said(PICTURE), HELLO]}}
    shown = seeded.call("POST", "/api/resources/preview", call).json
    answer = seeded.call("POST", "/api/execute", call)
    assert answer.status == 200, answer.text
    assert shown["request"]["messages"] == sent_messages(seeded) == [SYSTEM, said(PICTURE), HELLO]
    assert float(answer.json["usage"]["cost_usd"]) <= float(shown["worst_case_usd"])


def said(*parts: Any) -> dict[str, Any]:
    """Return a user message of these parts."""
    return {"role": "user", "content": list(parts)}
