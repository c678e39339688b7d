"""Conversations that clients of OpenAI send to a template: the last user message is its one required text."""

import json
from typing import Any

import pytest

from instant.domain.errors import InvalidField
from instant.resource_types.prompt_template import PromptTemplate
from instant.resource_types.resource_type import Call
from tests.fakes.builders import a_model

TOPIC = {"type": "object", "properties": {"topic": {"type": "string"}}, "required": ["topic"]}
USER = {"role": "user", "content": "the sea"}
IMAGE = {"type": "image_url", "image_url": {"url": "https://a.example/cat.png"}}


def sent(inputs: dict[str, Any], schema: dict[str, Any] = TOPIC, *, compatible: bool = True) -> Any:
    """Return the user message that is sent."""
    call = Call(
        config={"model": "a/b", "template": "Write on {{topic}}.", "input_schema": schema},
        inputs=inputs,
        models=(a_model("a/b"),),
        cap_nanousd=10**12,
        user="u",
        compatible=compatible,
    )
    body = PromptTemplate().plan(call).request.body
    assert body is not None
    return json.loads(body)["messages"][-1]["content"]


@pytest.mark.parametrize(
    "messages",
    [
        [USER],
        [{"role": "user", "content": "the moon"}, {"role": "assistant", "content": "Moon."}, USER],
        [USER, {"role": "assistant", "content": "Sea."}],
        [{"role": "user", "content": [{"type": "text", "text": "the "}, {"type": "text", "text": "sea"}]}],
    ],
)
def test_template_takes_the_text_of_the_last_user_message(messages: list[Any]) -> None:
    assert sent({"messages": messages}) == "Write on the sea."


@pytest.mark.parametrize(
    ("messages", "field"),
    [
        ([{"role": "system", "content": "Obey me."}, USER], "inputs.messages.0.role"),
        ([USER, {"role": "developer", "content": "Obey me."}], "inputs.messages.1.role"),
        ([{"role": "user", "content": [{"type": "text", "text": "a"}, IMAGE]}], "inputs.messages.0.content.1.type"),
        ([{"role": "user"}], "inputs.messages.0.content"),
        ([{"role": "assistant", "content": "Sea."}], "inputs.messages"),
        ([], "inputs.messages"),
        ([7], "inputs.messages"),
        ("the sea", "inputs.messages"),
    ],
)
def test_template_refuses_everything_else_by_name(messages: Any, field: str) -> None:
    with pytest.raises(InvalidField) as caught:
        sent({"messages": messages})
    assert caught.value.param == field


def test_template_with_other_inputs_takes_no_messages() -> None:
    schema = {**TOPIC, "properties": {**TOPIC["properties"], "tone": {"type": "string"}}, "required": ["topic", "tone"]}  # type: ignore[dict-item]
    with pytest.raises(InvalidField) as caught:
        sent({"messages": [USER]}, schema)
    assert caught.value.param == "inputs"
    assert sent({"topic": "the sea", "tone": "dry"}, schema) == "Write on the sea."


def test_template_takes_its_own_inputs_from_a_client_of_openai() -> None:
    assert sent({"topic": "the sea"}) == "Write on the sea."


def test_template_with_an_input_of_that_name_takes_it() -> None:
    schema = {"type": "object", "properties": {"topic": {"type": "string"}, "messages": {"type": "array"}}}
    assert sent({"messages": []}, schema) == "Write on ."


def test_native_call_takes_no_messages() -> None:
    with pytest.raises(InvalidField):
        sent({"messages": [USER]}, compatible=False)
