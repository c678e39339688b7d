"""POST /v1/chat/completions through the whole app: what is sent upstream, and what clients receive."""

import json
from decimal import Decimal
from typing import Any

import pytest

from tests.integration.app import CHEAP_MODEL, Answer, App

CHAT = "/v1/chat/completions"
HAIKU = "anthropic/claude-haiku-4.5"
USER = {"role": "user", "content": "Say hello."}
TOOL = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}


def chat(app: App, model: str, *messages: dict[str, Any], **more: Any) -> Answer:
    """Complete a chat."""
    headers, user = more.pop("headers", None), more.pop("user", "alice")
    return app.call("POST", CHAT, {"model": model, "messages": messages or [USER], **more}, headers=headers, user=user)


def sent(app: App) -> dict[str, Any]:
    """Return the last request to a model."""
    body: dict[str, Any] = app.fake.chat_requests[-1].json
    return body


def chunks(answer: Answer) -> list[dict[str, Any]]:
    """Return the chunks of a stream."""
    assert answer.status == 200, answer.text
    assert answer.headers["Content-Type"] == "text/event-stream"
    *found, done = [line.removeprefix("data: ") for line in answer.text.split("\n\n") if line.startswith("data: ")]
    assert done == "[DONE]"
    return [json.loads(chunk) for chunk in found]


@pytest.fixture
def model(seeded: App) -> str:
    return str(seeded.resource()["address"])


def test_completion_is_the_recorded_execution(seeded: App, model: str) -> None:
    answer = chat(seeded, model)
    recorded = seeded.call("GET", f"/api/executions/{answer.json['id']}").json
    assert answer.headers["x-execution-id"] == recorded["execution_id"] == answer.json["id"]
    assert answer.json["choices"][0]["message"]["content"] == recorded["output"]["content"]
    usage = json.loads(answer.text, parse_float=Decimal)["usage"]
    assert usage["cost"] == Decimal(recorded["usage"]["cost_usd"])
    assert usage["prompt_tokens"] == recorded["usage"]["prompt_tokens"]
    assert (answer.json["model"], answer.json["provider"]) == (model, recorded["provider"])


def test_stream_is_the_recorded_execution(seeded: App, model: str) -> None:
    found = chunks(chat(seeded, model, stream=True, stream_options={"include_usage": True}))
    recorded = seeded.call("GET", f"/api/executions/{found[0]['id']}").json
    text = "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in found[:-1])
    assert text == recorded["output"]["content"]
    assert (found[-2]["choices"][0]["finish_reason"], found[-1]["choices"]) == ("stop", [])
    assert found[-1]["usage"]["total_tokens"] > 0


def test_whole_and_streamed_completion_are_the_same(seeded: App, model: str) -> None:
    key = {"Idempotency-Key": "order-1"}
    whole = chat(seeded, model, headers=key).json
    streamed = chunks(chat(seeded, model, stream=True, headers=key))
    text = "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in streamed)
    assert {chunk["id"] for chunk in streamed} == {whole["id"]}
    assert text == whole["choices"][0]["message"]["content"]
    assert len(seeded.fake.chat_requests) == 1


@pytest.mark.parametrize("by", ["address", "resource_id"])
def test_model_is_an_address_or_an_id(seeded: App, by: str) -> None:
    assert chat(seeded, seeded.resource()[by]).status == 200


@pytest.mark.parametrize("model", ["gpt-4o", "openai/gpt-4o", "anthropic/claude-4.5", "nobody/haiku", "x" * 300])
def test_missing_model_is_not_found(seeded: App, model: str) -> None:
    answer = chat(seeded, model)
    assert (answer.status, answer.code, answer.json["error"]["param"]) == (404, "model_not_found", "model")


@pytest.mark.parametrize(("visibility", "status"), [("private", 404), ("unlisted", 404), ("public", 200)])
def test_model_of_another_user_can_be_called_if_it_is_public(seeded: App, visibility: str, status: int) -> None:
    seeded.connect("bob", "sk-or-v1-" + "b" * 64)
    assert chat(seeded, seeded.resource(visibility=visibility)["address"], user="bob").status == status


def test_conversation_is_sent_with_tools_and_their_results(seeded: App) -> None:
    model = seeded.resource(config={"model": HAIKU})["address"]
    first = chat(seeded, model, USER, tools=[TOOL], tool_choice="required")
    message = first.json["choices"][0]["message"]
    (call,) = message["tool_calls"]
    assert first.json["choices"][0]["finish_reason"] == "tool_calls"
    result = {"role": "tool", "tool_call_id": call["id"], "content": "42"}
    assert chat(seeded, model, USER, message, result, tools=[TOOL]).status == 200
    assert [turn["role"] for turn in sent(seeded)["messages"]] == ["user", "assistant", "tool"]
    assert sent(seeded)["messages"][1]["tool_calls"] == [call]


def test_schema_of_the_answer_is_sent(seeded: App) -> None:
    model = seeded.resource(config={"model": HAIKU})["address"]
    schema = {"name": "place", "schema": {"type": "object", "properties": {"city": {"type": "string"}}}}
    answer = chat(seeded, model, response_format={"type": "json_schema", "json_schema": schema})
    assert isinstance(json.loads(answer.json["choices"][0]["message"]["content"]), dict)
    assert sent(seeded)["response_format"]["json_schema"]["name"] == "place"


def test_larger_limit_is_lowered_to_that_of_the_owner(seeded: App, model: str) -> None:
    assert chat(seeded, model, max_completion_tokens=100_000).status == 200
    assert sent(seeded)["max_completion_tokens"] == 200


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_parameters_that_the_model_lacks_are_left_out_and_named(seeded: App, model: str, stream: bool) -> None:
    answer = chat(seeded, model, temperature=0.5, reasoning_effort="low", top_k=3, stream=stream)
    assert answer.status == 200, answer.text
    assert set(answer.headers["x-ignored-parameters"].split(", ")) == {"reasoning_effort", "top_k"}
    assert (sent(seeded)["temperature"], {"reasoning", "top_k"} & sent(seeded).keys()) == (0.5, set())


def test_parameters_that_the_owner_closed_are_refused_by_name(seeded: App) -> None:
    model = seeded.resource(config={"overridable": ["seed"]})["address"]
    answer = chat(seeded, model, temperature=0.5)
    assert (answer.status, answer.json["error"]["param"]) == (400, "temperature")
    assert answer.json["error"]["message"].startswith("temperature: cannot be overridden here")


def test_messages_of_the_system_follow_those_of_the_owner_if_allowed(seeded: App) -> None:
    system = {"role": "system", "content": "Be brief."}
    closed = seeded.resource(config={"system_prompt": "Be a poet."})["address"]
    answer = chat(seeded, closed, system, USER)
    assert (answer.status, answer.json["error"]["param"]) == (400, "messages.0.role")
    opened = seeded.resource(config={"system_prompt": "Be a poet.", "allow_system_messages": True})["address"]
    assert chat(seeded, opened, system, USER).status == 200
    assert [turn["content"] for turn in sent(seeded)["messages"]] == ["Be a poet.", "Be brief.", "Say hello."]


def template(app: App, *names: str) -> str:
    """Create a template with these required inputs and return its address."""
    schema = {"type": "object", "properties": {name: {"type": "string"} for name in names}, "required": [*names]}
    text = " ".join(f"{{{{{name}}}}}" for name in names)
    config = {"model": CHEAP_MODEL, "template": f"Write: {text}", "input_schema": schema}
    return str(app.resource(resource_type="prompt_template", config=config)["address"])


def test_template_with_one_text_takes_the_last_message(seeded: App) -> None:
    assert chat(seeded, template(seeded, "topic"), USER).status == 200
    assert sent(seeded)["messages"][-1]["content"] == "Write: Say hello."


def test_template_with_more_inputs_takes_them_beside_no_messages(seeded: App) -> None:
    model = template(seeded, "topic", "tone")
    answer = chat(seeded, model, USER)
    assert (answer.status, answer.json["error"]["param"]) == (400, "inputs")
    body = {"model": model, "messages": [], "inputs": {"topic": "sea", "tone": "dry"}}
    assert seeded.call("POST", CHAT, body).status == 200
    assert sent(seeded)["messages"][-1]["content"] == "Write: sea dry"


def test_error_before_a_stream_begins_has_its_status(seeded: App, model: str) -> None:
    answer = chat(seeded, model, {"role": "user", "content": "[[fake: error 429 7]]"}, stream=True)
    assert (answer.status, answer.code, answer.headers["Retry-After"]) == (429, "rate_limited", "7")
    assert answer.headers["Content-Type"] == "application/json"


def test_body_that_is_no_json_is_malformed(seeded: App) -> None:
    answer = seeded.call("POST", CHAT, raw="{", headers={"Content-Type": "application/json"})
    assert (answer.status, answer.code, answer.json["error"]["type"]) == (400, "malformed", "invalid_request_error")
    assert answer.headers["x-should-retry"] == "false"


def test_image_is_a_link_that_the_caller_can_read(seeded: App) -> None:
    model = seeded.resource(config={"model": "juniper/fresco-2", "max_tokens": None})["address"]
    seeded.call("PATCH", "/api/user/integrations/openrouter", {"max_cost_per_call_usd": "100"})
    for stream in (False, True):
        answer = chat(seeded, model, {"role": "user", "content": "[[fake: picture png]]"}, stream=stream)
        assert answer.status == 200, answer.text
        found = chunks(answer) if stream else [answer.json]
        choices = [chunk["choices"][0] for chunk in found]
        (image,) = [each for choice in choices for each in (choice.get("message") or choice["delta"]).get("images", [])]
        path = image["image_url"]["url"].removeprefix("https://api.example/test")
        assert seeded.call("GET", path).status == 302


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_completion_tokens": 0}, "max_completion_tokens"),
        ({"max_completion_tokens": 0, "max_tokens": 5}, "max_completion_tokens"),
        ({"reasoning_effort": "most"}, "reasoning_effort"),
        ({"reasoning": {"effort": "most"}}, "reasoning.effort"),
        ({"reasoning_effort": "low", "reasoning": {"effort": "most"}}, "reasoning.effort"),
    ],
)
def test_errors_name_the_fields_of_the_request(
    seeded: App, model: str, fields: dict[str, Any], param: str, stream: bool
) -> None:
    answer = chat(seeded, model, stream=stream, **fields)
    error = answer.json["error"]
    assert (answer.status, error["param"], error["details"]["field"]) == (400, param, param)
    assert error["message"].startswith(f"{param}: ")
