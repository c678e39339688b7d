"""Requests for responses: what is passed on, what is accepted without effect, and what is refused by name."""

from typing import Any

import pytest

from instant.domain.errors import InvalidField
from instant.domain.validation import parse
from instant.entrypoints.openai.parameters import ignored, passed_on, refused
from instant.entrypoints.openai.responses.body import ResponsesBody
from instant.entrypoints.openai.responses.request import ResponsesRequest, responses_request

OPENAI_FIELDS = [
    "access_programs", "background", "background_options", "context_management", "conversation", "image", "include",
    "input", "instructions", "max_output_tokens", "max_tool_calls", "metadata", "model", "moderation",
    "parallel_tool_calls", "previous_response_id", "prompt", "prompt_cache_key", "prompt_cache_options",
    "prompt_cache_retention", "reasoning", "safety_identifier", "service_tier", "store", "stream", "stream_options",
    "temperature", "text", "tool_choice", "tools", "top_logprobs", "top_p", "truncation", "user",
]  # fmt: skip
"""The fields of a request for a response in version 3.57 of OpenAI's Python client."""

LOOK = {"type": "function", "name": "look", "description": "Looks.", "parameters": {"type": "object"}, "strict": True}


def request(**fields: Any) -> ResponsesRequest:
    """Read a request with these fields."""
    body = {"model": "u1/haiku", "input": "Hello.", **fields}
    return responses_request(parse(ResponsesBody, body, ""), None)


def overrides(**fields: Any) -> Any:
    """Return the settings that these fields override."""
    return request(**fields).execute.overrides


def problem(**fields: Any) -> str:
    """Return why the fields are refused."""
    with pytest.raises(InvalidField) as caught:
        request(**fields)
    return caught.value.message.removeprefix(".")


def test_each_field_of_openai_is_in_one_list() -> None:
    lists = [{name for name, _ in fields(ResponsesBody)} for fields in (passed_on, ignored, refused)]
    assert set(OPENAI_FIELDS) <= set.union(*lists)
    assert sum(map(len, lists)) == len(set.union(*lists)) == len(ResponsesBody.model_fields)


def test_instructions_precede_the_input() -> None:
    read = request(instructions="Be brief.").execute
    system, user = {"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello."}
    assert (read.inputs, read.compatible) == ({"messages": [system, user]}, True)
    assert request(input=[user]).execute.inputs == {"messages": [user]}


def test_settings_have_the_names_and_the_nesting_of_the_resource() -> None:
    schema = {"type": "json_schema", "name": "place", "schema": {"type": "object"}, "strict": True}
    nested = {name: value for name, value in LOOK.items() if name != "type"}
    assert overrides(
        max_output_tokens=5,
        temperature=0.5,
        top_p=0.5,
        parallel_tool_calls=False,
        reasoning={"effort": "low", "summary": "auto"},
        tools=[LOOK],
        tool_choice={"type": "function", "name": "look"},
        text={"format": schema, "verbosity": "low"},
    ) == {
        "max_tokens": 5,
        "temperature": 0.5,
        "top_p": 0.5,
        "parallel_tool_calls": False,
        "reasoning": {"effort": "low", "summary": "auto"},
        "tools": [{"type": "function", "function": nested}],
        "tool_choice": {"type": "function", "function": {"name": "look"}},
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "place", "schema": {"type": "object"}, "strict": True},
        },
        "verbosity": "low",
    }


def test_null_and_empty_fields_override_nothing() -> None:
    assert overrides(tools=[], tool_choice=None, text={"format": None}, reasoning=None) == {}
    assert overrides(tool_choice="required", text={"format": {"type": "json_object"}}) == {
        "tool_choice": "required",
        "response_format": {"type": "json_object"},
    }


@pytest.mark.parametrize("name", [name for name, _ in refused(ResponsesBody)])
def test_refused_fields_are_named_with_what_to_do(name: str) -> None:
    instead = dict(refused(ResponsesBody))[name].instead
    assert problem(**{name: "x"}) == f"{name}: is not supported; {instead}"
    assert request(**{name: None}).execute.overrides == {}


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("store", False, True),
        ("background", False, True),
        ("truncation", "disabled", "auto"),
        ("service_tier", "default", "flex"),
        ("include", ["reasoning.encrypted_content"], ["message.output_text.logprobs"]),
    ],
)
def test_values_with_an_effect_are_refused(name: str, good: Any, bad: Any) -> None:
    assert overrides(**{name: good}) == overrides(**{name: None}) == {}
    assert problem(**{name: bad}).startswith(f"{name}: can only be ")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"input": None}, "input"),
        ({"input": 1}, "input"),
        ({"inputs": {"topic": "sea"}}, "input"),
        ({"inputs": {"topic": "sea"}, "input": None, "instructions": "Be brief."}, "instructions"),
        ({"tools": [{"type": "web_search"}]}, "tools.0.type"),
        ({"tools": [LOOK, {**LOOK, "output_schema": {}}]}, "tools.1.output_schema"),
        ({"tools": [{"type": "function"}]}, "tools.0.name"),
        ({"tool_choice": {"type": "allowed_tools"}}, "tool_choice.type"),
        ({"unknown": 1}, "unknown"),
    ],
)
def test_invalid_fields_are_refused_by_name(fields: dict[str, Any], field: str) -> None:
    assert problem(**fields).startswith(f"{field}: ")


def test_inputs_of_a_template_replace_the_input() -> None:
    assert request(input=None, inputs={"topic": "sea"}).execute.inputs == {"topic": "sea"}


@pytest.mark.parametrize(
    ("setting", "field"),
    [
        ("overrides.max_tokens", "max_output_tokens"),
        ("overrides.verbosity", "text.verbosity"),
        ("overrides.response_format", "text.format"),
        ("overrides.response_format.json_schema.schema", "text.format.schema"),
        ("overrides.tools.1.function.name", "tools.1.name"),
        ("overrides.tool_choice.function.name", "tool_choice.name"),
        ("overrides.max_tokens_more", "overrides.max_tokens_more"),
        ("inputs.messages", "input"),
        ("inputs.messages.0.role", "instructions.role"),
        ("inputs.messages.1.content.0.image_url.url", "input.0.content.0.image_url"),
        ("inputs.messages.1.content.0.file.file_data", "input.0.content.0.file_data"),
        ("inputs.messages.1.tool_call_id", "input.0.call_id"),
        ("inputs.topic", "inputs.topic"),
    ],
)
def test_errors_name_fields_as_the_request_does(setting: str, field: str) -> None:
    read = request(instructions="Be brief.", input=[{"role": "user", "content": "Hi"}])
    with pytest.raises(InvalidField) as caught, read.naming_errors():
        raise InvalidField.named(setting, "is wrong")
    assert (caught.value.param, caught.value.message) == (field, f"{field}: is wrong")
