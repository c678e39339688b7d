"""Items of an input: which messages they become, and how invalid ones are named."""

from base64 import b64encode
from typing import Any

import pytest

from instant.domain.errors import InvalidField
from instant.entrypoints.openai.responses.items import messages_of
from instant.entrypoints.openai.responses.reasoning import opened, sealed

PNG = "data:image/png;base64,iVBORw0KGgo="
DETAILS = [{"type": "reasoning.text", "text": "2 + 2 “is” 4", "signature": "s1"}]
CALL = {"type": "function_call", "call_id": "call_1", "name": "look_up", "arguments": "{}"}
SENT_CALL = {"id": "call_1", "type": "function", "function": {"name": "look_up", "arguments": "{}"}}


def sent(*items: Any) -> list[dict[str, Any]]:
    """Return the messages of these items."""
    return [message.sent for message in messages_of([*items], "input")]


def refused(*items: Any) -> str:
    """Return the field for which the items are refused."""
    with pytest.raises(InvalidField) as caught:
        sent(*items)
    return str(caught.value.param)


@pytest.mark.parametrize("role", ["user", "system", "developer", "assistant"])
def test_text_of_each_role_is_a_message(role: str) -> None:
    message = {"role": role, "content": "Hello."}
    assert sent(message) == sent({**message, "type": "message", "id": "msg_1", "status": "completed"}) == [message]


def test_parts_of_a_user_are_parts_of_a_message() -> None:
    parts = [
        {"type": "input_text", "text": "What is this?"},
        {"type": "input_image", "image_url": PNG, "detail": "low"},
        {"type": "input_file", "file_data": "JVBERg==", "filename": "a.pdf"},
        {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
    ]
    (message,) = sent({"role": "user", "content": parts})
    assert message["content"] == [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": PNG, "detail": "low"}},
        {"type": "file", "file": {"file_data": "JVBERg==", "filename": "a.pdf"}},
        {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
    ]


def test_items_of_one_answer_are_one_message() -> None:
    reasoning = {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [{"type": "summary_text", "text": "I think."}],
        "encrypted_content": sealed(DETAILS),
        "status": "completed",
    }
    parts = [
        {"type": "output_text", "text": "Let me.", "annotations": [], "logprobs": []},
        {"type": "refusal", "refusal": "Not all."},
    ]
    message = {"type": "message", "role": "assistant", "content": parts, "id": "msg_1", "status": "completed"}
    output = {"type": "function_call_output", "call_id": "call_1", "output": "42"}
    assert sent({"role": "user", "content": "Hi"}, reasoning, message, CALL, output) == [
        {"role": "user", "content": "Hi"},
        {
            "role": "assistant",
            "content": "Let me.",
            "refusal": "Not all.",
            "reasoning": "I think.",
            "reasoning_details": DETAILS,
            "tool_calls": [SENT_CALL],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "42"},
    ]


def test_several_texts_of_one_answer_are_parts() -> None:
    (message,) = sent({"role": "assistant", "content": "One."}, {"role": "assistant", "content": "Two."})
    assert message["content"] == [{"type": "text", "text": "One."}, {"type": "text", "text": "Two."}]


def test_answers_after_results_are_new_messages() -> None:
    output = {"type": "function_call_output", "call_id": "call_1", "output": "42"}
    roles = [message["role"] for message in sent(CALL, output, {**CALL, "call_id": "call_2"})]
    assert roles == ["assistant", "tool", "assistant"]


def test_texts_of_a_result_are_joined_and_media_remain_parts() -> None:
    texts: list[dict[str, Any]] = [{"type": "input_text", "text": "4"}, {"type": "input_text", "text": "2"}]
    output = {"type": "function_call_output", "call_id": "call_1"}
    assert sent({**output, "output": texts})[0]["content"] == "42"
    (message,) = sent({**output, "output": [*texts, {"type": "input_image", "image_url": PNG}]})
    assert [part["type"] for part in message["content"]] == ["text", "text", "image_url"]


def test_messages_know_the_first_item_that_they_were_read_from() -> None:
    items = [{"role": "user", "content": "Hi"}, CALL, CALL, {"role": "user", "content": "Bye"}]
    assert [message.where for message in messages_of(items, "input")] == ["input.0", "input.1", "input.3"]


def test_reasoning_goes_through_its_opaque_form_unchanged() -> None:
    assert opened(sealed(DETAILS), "") == DETAILS


def reasoning(details: str) -> str:
    """The opaque form of details that need not be valid."""
    return b64encode(f'{{"reasoning_details": {details}}}'.encode()).decode()


@pytest.mark.parametrize(
    "text",
    [
        *("?", "eyJ9", "MQ==", "WzFd", "//8=", "é", "W" * 7, "e30=", "W10="),
        *map(reasoning, ("1", "[1]", "null", '[{"a": NaN}]', '[{"a": 1e999}]', '[{"a": "\\ud800"}]')),
        *map(reasoning, ('[{"a": "\\u0000"}]', '[{"a": 1, "a": 2}]', '[{"a": ' * 40 + "1" + "}]" * 40)),
        reasoning('[{"a": ' * 3_000 + "1" + "}]" * 3_000),
        reasoning(f"[{{}}{', {}' * 200_000}]"),
    ],
)
def test_opaque_reasoning_that_cannot_be_read_is_refused_by_name(text: str) -> None:
    assert refused({"type": "reasoning", "summary": [], "encrypted_content": text}) == "input.0.encrypted_content"


@pytest.mark.parametrize(
    ("item", "field"),
    [
        ("Hello.", "input.0"),
        ({"type": "item_reference", "id": "msg_1"}, "input.0.type"),
        ({"type": ["message"]}, "input.0.type"),
        ({"role": "tool", "content": "x"}, "input.0.role"),
        ({"role": "user"}, "input.0.content"),
        ({"role": "user", "content": 1}, "input.0.content"),
        ({"role": "user", "content": ["x"]}, "input.0.content.0"),
        ({"role": "user", "content": [{"type": "output_text", "text": "x"}]}, "input.0.content.0.type"),
        ({"role": "user", "content": [{"type": "input_text"}]}, "input.0.content.0.text"),
        ({"role": "user", "content": [{"type": "input_image", "file_id": "f"}]}, "input.0.content.0.image_url"),
        ({"role": "user", "content": [{"type": "input_file", "file_id": "f"}]}, "input.0.content.0.file_id"),
        ({"role": "user", "content": [{"type": "input_file"}]}, "input.0.content.0.file_data"),
        (
            {"role": "user", "content": [{"type": "input_file", "file_data": "x", "file_url": "y"}]},
            "input.0.content.0.file_url",
        ),
        ({"role": "assistant", "content": [{"type": "input_image", "image_url": PNG}]}, "input.0.content.0.type"),
        ({"type": "reasoning", "summary": [{"type": "text", "text": "x"}]}, "input.0.summary.0.type"),
        ({"type": "function_call_output", "call_id": "c", "output": 1}, "input.0.output"),
        ({**CALL, "namespace": "n"}, "input.0.namespace"),
        ({**CALL, "more": 1}, "input.0.more"),
    ],
)
def test_invalid_items_are_refused_by_name(item: Any, field: str) -> None:
    assert refused(item) == field
