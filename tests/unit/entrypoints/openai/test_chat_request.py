"""Chat requests: what is passed on, what is accepted without effect, and what is refused by name."""

from typing import Any

import pytest

from instant.domain.errors import InvalidField, NotFound
from instant.domain.validation import parse
from instant.entrypoints.openai.chat_body import ChatBody
from instant.entrypoints.openai.chat_request import chat_request
from instant.entrypoints.openai.parameters import ignored, passed_on, refused
from instant.resource_types.overrides import OPEN, UNLESS_SET
from instant.use_cases.executions.prepare import ExecuteRequest

USER = {"role": "user", "content": "Hello."}

OPENAI_FIELDS = [
    "messages", "model", "audio", "frequency_penalty", "function_call", "functions", "logit_bias", "logprobs",
    "max_completion_tokens", "max_tokens", "metadata", "modalities", "moderation", "n", "parallel_tool_calls",
    "prediction", "presence_penalty", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention",
    "reasoning_effort", "response_format", "safety_identifier", "seed", "service_tier", "stop", "store", "stream",
    "stream_options", "temperature", "tool_choice", "tools", "top_logprobs", "top_p", "user", "verbosity",
    "web_search_options",
]  # fmt: skip
"""The fields of a chat request in version 3.57 of OpenAI's Python client."""


def body(**fields: Any) -> ChatBody:
    """Read a body with these fields."""
    return parse(ChatBody, {"model": "u1/haiku", "messages": [USER], **fields}, "")


def request(**fields: Any) -> ExecuteRequest:
    """Read a request with these fields."""
    return chat_request(body(**fields), None)


def problem(**fields: Any) -> str:
    """Return why the fields are refused."""
    with pytest.raises(InvalidField) as caught:
        request(**fields)
    return caught.value.message.removeprefix(".")


def test_each_field_of_openai_is_in_one_list() -> None:
    lists = [{name for name, _ in fields(ChatBody)} for fields in (passed_on, ignored, refused)]
    assert set(OPENAI_FIELDS) <= set.union(*lists)
    assert sum(map(len, lists)) == len(set.union(*lists)) == len(ChatBody.model_fields)


def test_answers_come_back_without_what_the_clients_have_parsed() -> None:
    call: dict[str, Any] = {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    answer = {"role": "assistant", "content": None, "tool_calls": [call]}
    seen = {**call, "function": {**call["function"], "parsed_arguments": {}}}
    read = {**answer, "tool_calls": [seen], "parsed": None}
    assert request(messages=[USER, read]).inputs["messages"] == [USER, answer]
    for strange in (
        {"role": "assistant", "tool_calls": "?"},
        {"role": "assistant", "tool_calls": [1, {"function": 2}]},
    ):
        assert request(messages=[USER, strange]).inputs["messages"] == [USER, strange]
    said = {**USER, "parsed": None}
    assert request(messages=[said]).inputs["messages"] == [said]


def test_each_setting_that_is_open_can_be_overridden() -> None:
    fields: dict[str, Any] = {
        "max_tokens": 7,
        "temperature": 0.5,
        "top_p": 0.5,
        "top_k": 3,
        "top_a": 0.5,
        "min_p": 0.5,
        "frequency_penalty": 1,
        "presence_penalty": 1,
        "repetition_penalty": 1.5,
        "seed": 7,
        "stop": "END",
        "verbosity": "low",
        "reasoning": {"effort": "low"},
        "tools": [{"type": "function", "function": {"name": "look_up"}}],
        "tool_choice": "auto",
        "parallel_tool_calls": False,
        "response_format": {"type": "json_object"},
    }
    assert fields.keys() == {*OPEN, *UNLESS_SET}
    assert request(**fields).overrides == fields | {"reasoning": {"effort": "low"}}


def test_fields_that_are_null_or_empty_are_absent() -> None:
    fields = {name: None for name in ChatBody.model_fields if name not in {"model", "messages"}}
    read = request(**fields)
    assert (read.inputs, read.overrides) == ({"messages": [USER]}, {})
    assert request(tools=[], stop=[]).overrides == {}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"max_completion_tokens": 5, "max_tokens": 9}, {"max_tokens": 5}),
        ({"max_tokens": 9}, {"max_tokens": 9}),
        ({"reasoning_effort": "low"}, {"reasoning": {"effort": "low"}}),
        (
            {"reasoning_effort": "low", "reasoning": {"exclude": True}},
            {"reasoning": {"effort": "low", "exclude": True}},
        ),
        ({"reasoning_effort": "low", "reasoning": {"effort": "high"}}, {"reasoning": {"effort": "high"}}),
    ],
)
def test_fields_are_settings_of_the_resource(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    assert request(**fields).overrides == expected


@pytest.mark.parametrize(
    ("model", "expected"),
    [("u1/haiku", (None, "u1/haiku")), ("res_01", ("res_01", None)), ("gpt-4o", ("gpt-4o", None))],
)
def test_model_is_an_address_or_an_id(model: str, expected: tuple[str | None, str | None]) -> None:
    read = request(model=model)
    assert (read.resource_id, read.address, read.compatible) == (*expected, True)


@pytest.mark.parametrize("model", ["anthropic/claude-4.5", "a/b/c", "sk-or-v1-" + "a" * 40, "U1/haiku", "/"])
def test_model_that_can_be_no_resource_is_not_found(model: str) -> None:
    with pytest.raises(NotFound):
        request(model=model)


def test_inputs_replace_the_messages() -> None:
    assert request(messages=[], inputs={"topic": "sea"}).inputs == {"topic": "sea"}
    assert problem(inputs={"topic": "sea"}) == "messages: must be empty beside inputs, which a template takes instead"


@pytest.mark.parametrize("name", [name for name, _ in ignored(ChatBody)])
def test_ignored_fields_have_no_effect(name: str) -> None:
    mark = dict(ignored(ChatBody))[name]
    for value in mark.values or ("anything", {"a": 1}, 7):
        assert request(**{name: value}) == request()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n", 2),
        ("n", True),
        ("store", True),
        ("service_tier", "flex"),
        ("modalities", ["text", "audio"]),
        ("logprobs", True),
        ("logit_bias", {"50256": -100}),
    ],
)
def test_other_values_of_ignored_fields_are_refused(name: str, value: object) -> None:
    mark = dict(ignored(ChatBody))[name]
    assert problem(**{name: value}).startswith(f"{name}: can only be ")
    assert problem(**{name: value}).endswith(f" here; {mark.instead}")


@pytest.mark.parametrize("name", [name for name, _ in refused(ChatBody)])
@pytest.mark.parametrize("value", [0, False, "", [], {}, "anything"])
def test_refused_fields_are_named_with_what_to_do(name: str, value: object) -> None:
    mark = dict(refused(ChatBody))[name]
    assert problem(**{name: value}) == f"{name}: is not supported; {mark.instead}"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"temprature": 1}, "temprature: is not a known field"),
        ({"temperature": "1"}, "temperature: Input should be a valid number"),
        ({"messages": ["Hello."]}, "messages.0: Input should be a valid dictionary"),
        ({"messages": None}, "messages: Input should be a valid list"),
        ({"stream": "yes"}, "stream: Input should be a valid boolean"),
    ],
)
def test_other_fields_and_types_are_refused(fields: dict[str, Any], expected: str) -> None:
    assert problem(**fields) == expected


def test_options_of_a_stream_that_are_not_known_have_no_effect() -> None:
    read = body(stream_options={"include_usage": True, "include_obfuscation": True}).stream_options
    assert read is not None
    assert read.include_usage is True
