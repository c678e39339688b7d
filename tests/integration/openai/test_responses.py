"""POST /v1/responses through the whole app: what is sent upstream, and what clients receive."""

import json
from decimal import Decimal
from typing import Any

import pytest

from instant.entrypoints.openai.parameters import refused
from instant.entrypoints.openai.responses.body import ResponsesBody
from tests.fakes.image_samples import SOUND, data_url
from tests.integration.app import CHEAP_MODEL, Answer, App

RESPONSES = "/v1/responses"
HAIKU = "anthropic/claude-haiku-4.5"
THINKER = {"model": HAIKU, "reasoning": {"max_tokens": 1024}, "max_tokens": 4000}
TOOL = {"type": "function", "name": "look_up", "parameters": {"type": "object"}}


def respond(app: App, model: str, asked: Any = "Say hello.", **more: Any) -> Answer:
    """Create a response."""
    headers = more.pop("headers", None)
    return app.call("POST", RESPONSES, {"model": model, "input": asked, **more}, headers=headers)


def items(answer: Answer) -> dict[str, Any]:
    """Return the output items by their types, of which each is there once."""
    assert answer.status == 200, answer.text
    return {item["type"]: item for item in answer.json["output"]}


def text(answer: Answer) -> str:
    """Return the text of the answer."""
    return "".join(part["text"] for part in items(answer)["message"]["content"])


def sent(app: App) -> dict[str, Any]:
    """Return the last request to a model."""
    body: dict[str, Any] = app.fake.chat_requests[-1].json
    return body


@pytest.fixture
def model(seeded: App) -> str:
    return str(seeded.resource()["address"])


@pytest.fixture
def haiku(seeded: App) -> str:
    return str(seeded.resource(config={"model": HAIKU})["address"])


def test_response_is_the_recorded_execution(seeded: App, model: str) -> None:
    answer = respond(seeded, model)
    recorded = seeded.call("GET", f"/api/executions/{answer.json['id']}").json
    assert answer.headers["x-execution-id"] == answer.headers["x-request-id"] == answer.json["id"]
    assert text(answer) == recorded["output"]["content"]
    usage = json.loads(answer.text, parse_float=Decimal)["usage"]
    assert usage["cost"] == Decimal(recorded["usage"]["cost_usd"])
    assert (usage["input_tokens"], usage["output_tokens"]) == (
        recorded["usage"]["prompt_tokens"],
        recorded["usage"]["completion_tokens"],
    )
    assert (answer.json["model"], answer.json["provider"]) == (model, recorded["provider"])
    assert (answer.json["object"], answer.json["status"], answer.json["store"]) == ("response", "completed", False)


def test_fields_of_the_request_are_repeated(seeded: App, haiku: str) -> None:
    fields: dict[str, Any] = {
        "instructions": "Be brief.", "temperature": 0.5, "max_output_tokens": 50, "metadata": {"a": "b"},
        "tools": [TOOL], "tool_choice": "auto", "parallel_tool_calls": False, "user": "somebody",
    }  # fmt: skip
    answer = respond(seeded, haiku, **fields)
    assert answer.status == 200, answer.text
    assert {name: answer.json[name] for name in fields} == fields


def test_answer_at_the_limit_is_incomplete(seeded: App, model: str) -> None:
    answer = respond(seeded, model, max_output_tokens=3)
    assert answer.json["status"] == items(answer)["message"]["status"] == "incomplete"
    assert answer.json["incomplete_details"] == {"reason": "max_output_tokens"}


def test_tool_calls_and_reasoning_come_back_in_the_next_turn(seeded: App) -> None:
    model = seeded.resource(config=THINKER)["address"]
    turn = {"role": "user", "content": "Say hello. [[fake: tool-calls]]"}
    first = respond(seeded, model, [turn], tools=[TOOL])
    found = items(first)
    assert found["reasoning"]["summary"][0]["text"]
    call = found["function_call"]
    result = {"type": "function_call_output", "call_id": call["call_id"], "output": "42"}
    second = respond(seeded, model, [turn, *first.json["output"], result], tools=[TOOL])
    assert text(second)
    user, assistant, tool = sent(seeded)["messages"]
    assert (user, tool["content"], tool["tool_call_id"]) == (turn, "42", call["call_id"])
    assert [each["function"]["name"] for each in assistant["tool_calls"]] == ["look_up"]
    recorded = seeded.call("GET", f"/api/executions/{first.json['id']}").json["output"]
    assert assistant["reasoning_details"] == recorded["reasoning_details"]


def test_schema_of_the_answer_is_sent(seeded: App, haiku: str) -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    answer = respond(seeded, haiku, text={"format": {"type": "json_schema", "name": "place", "schema": schema}})
    assert isinstance(json.loads(text(answer)), dict)
    assert sent(seeded)["response_format"]["json_schema"]["name"] == "place"


def test_image_of_the_input_is_sent(seeded: App, haiku: str) -> None:
    png = data_url(SOUND["png"]())
    parts = [{"type": "input_text", "text": "What is this?"}, {"type": "input_image", "image_url": png}]
    assert respond(seeded, haiku, [{"role": "user", "content": parts}]).status == 200
    assert [part["type"] for part in sent(seeded)["messages"][-1]["content"]] == ["text", "image_url"]


def test_image_of_the_answer_is_a_link_that_the_caller_can_read(seeded: App) -> None:
    model = seeded.resource(config={"model": "juniper/fresco-2", "max_tokens": None})["address"]
    seeded.call("PATCH", "/api/user/integrations/openrouter", {"max_cost_per_call_usd": "100"})
    (image,) = items(respond(seeded, model, "[[fake: picture png]]"))["message"]["images"]
    path = image["image_url"]["url"].removeprefix("https://api.example/test")
    assert seeded.call("GET", path).status == 302


def test_instructions_follow_those_of_the_owner_if_allowed(seeded: App) -> None:
    closed = seeded.resource(config={"system_prompt": "Be a poet."})["address"]
    answer = respond(seeded, closed, instructions="Be brief.")
    assert (answer.status, answer.json["error"]["param"]) == (400, "instructions.role")
    opened = seeded.resource(config={"system_prompt": "Be a poet.", "allow_system_messages": True})["address"]
    assert respond(seeded, opened, instructions="Be brief.").status == 200
    assert [turn["content"] for turn in sent(seeded)["messages"]] == ["Be a poet.", "Be brief.", "Say hello."]


def template(app: App, *names: str) -> str:
    """Create a template with these required inputs and return its address."""
    schema = {"type": "object", "properties": {name: {"type": "string"} for name in names}, "required": [*names]}
    body = " ".join(f"{{{{{name}}}}}" for name in names)
    config = {"model": CHEAP_MODEL, "template": f"Write: {body}", "input_schema": schema}
    return str(app.resource(resource_type="prompt_template", config=config)["address"])


def test_template_takes_the_last_message_or_inputs(seeded: App) -> None:
    assert respond(seeded, template(seeded, "topic")).status == 200
    assert sent(seeded)["messages"][-1]["content"] == "Write: Say hello."
    model = template(seeded, "topic", "tone")
    answer = respond(seeded, model)
    assert (answer.status, answer.json["error"]["param"]) == (400, "inputs")
    assert respond(seeded, model, None, inputs={"topic": "sea", "tone": "dry"}).status == 200
    assert sent(seeded)["messages"][-1]["content"] == "Write: sea dry"


@pytest.mark.parametrize("name", [name for name, _ in refused(ResponsesBody)])
def test_refused_parameters_are_named_and_cost_nothing(seeded: App, model: str, name: str) -> None:
    answer = respond(seeded, model, **{name: "x"})
    assert (answer.status, answer.code, answer.json["error"]["param"]) == (400, "invalid_field", name)
    assert seeded.fake.chat_requests == []


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"store": True}, "store"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
        ({"text": {"format": {"type": "json_schema", "name": "a"}}}, "text.format.schema"),
        ({"tools": [{**TOOL, "name": "look up"}]}, "tools.0.name"),
        ({"reasoning": {"effort": "most"}}, "reasoning.effort"),
        ({"input": []}, "input"),
        ({"input": [{"type": "function_call_output", "call_id": "a", "output": "x"}]}, "input.0.call_id"),
        (
            {"input": [{"role": "user", "content": [{"type": "input_file", "file_url": "https://a.example/a.pdf"}]}]},
            "input.0.content.0.file_data",
        ),
    ],
)
def test_errors_name_the_fields_of_the_request(
    seeded: App, model: str, fields: dict[str, Any], param: str, stream: bool
) -> None:
    answer = seeded.call("POST", RESPONSES, {"model": model, "input": "Say hello.", "stream": stream, **fields})
    error = answer.json["error"]
    assert (answer.status, error["param"], error["details"]["field"]) == (400, param, param)
    assert error["message"].startswith(f"{param}: ")


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_parameters_that_the_model_lacks_are_left_out_and_named(seeded: App, model: str, stream: bool) -> None:
    answer = respond(seeded, model, reasoning={"effort": "low"}, text={"verbosity": "low"}, stream=stream)
    assert answer.status == 200, answer.text
    assert set(answer.headers["x-ignored-parameters"].split(", ")) == {"reasoning", "text.verbosity"}


@pytest.mark.parametrize("model", ["gpt-4o", "openai/gpt-4o", "nobody/haiku"])
def test_missing_model_is_not_found(seeded: App, model: str) -> None:
    answer = respond(seeded, model)
    assert (answer.status, answer.code, answer.json["error"]["param"]) == (404, "model_not_found", "model")


def test_repeat_joins_the_request_and_pays_nothing(seeded: App, model: str) -> None:
    first = respond(seeded, model, headers={"X-Stainless-Retry-Count": "0"})
    repeat = respond(seeded, model, headers={"X-Stainless-Retry-Count": "1"})
    assert repeat.json["id"] == first.json["id"]
    assert repeat.json["output"] == first.json["output"]
    assert len(seeded.fake.chat_requests) == 1


def test_failure_that_may_have_cost_is_not_repeated(seeded: App, model: str) -> None:
    answer = respond(seeded, model, "[[fake: hang-up]]")
    assert (answer.status, answer.headers["x-should-retry"]) == (409, "false")
