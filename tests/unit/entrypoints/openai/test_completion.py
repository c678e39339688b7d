"""Stored responses as completions of OpenAI's API."""

import json
from decimal import Decimal
from typing import Any

import pytest

from instant.entrypoints.openai.completion import completion_text
from tests.unit.entrypoints.openai.stored import EXECUTION_ID, stored, stored_message

ADDRESS = "https://api.example/test"
CALL = {"id": "call_1", "type": "function", "function": {"name": "look_up", "arguments": '{"q": 1}'}}


def completion(response: dict[str, Any]) -> dict[str, Any]:
    """Return the completion of a stored response."""
    read: dict[str, Any] = json.loads(completion_text(response, "u1/haiku", 1_764_533_844, ADDRESS))
    return read


def message(response: dict[str, Any]) -> dict[str, Any]:
    """Return the message of its completion."""
    found: dict[str, Any] = completion(response)["choices"][0]["message"]
    return found


def test_completion_has_the_fields_of_openai_and_openrouter() -> None:
    assert completion(stored()) == {
        "id": EXECUTION_ID,
        "object": "chat.completion",
        "created": 1_764_533_844,
        "model": "u1/haiku",
        "provider": "Meadow",
        "system_fingerprint": None,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hello.", "refusal": None},
                "finish_reason": "stop",
                "logprobs": None,
            }
        ],
        "usage": {
            "prompt_tokens": 3,
            "completion_tokens": 9,
            "total_tokens": 12,
            "prompt_tokens_details": {"cached_tokens": 1},
            "completion_tokens_details": {"reasoning_tokens": 4},
            "cost": 0.000081,
        },
    }


@pytest.mark.parametrize("cost", ["0", "0.000000001", "0.1234567890123456789", "1000"])
def test_cost_has_every_digit(cost: str) -> None:
    text = completion_text(stored(usage={"cost_usd": cost}), "u1/haiku", 1, ADDRESS)
    assert json.loads(text, parse_float=Decimal, parse_int=Decimal)["usage"]["cost"] == Decimal(cost)
    assert f'"cost":{cost}}}' in text


def test_unknown_usage_is_null_and_unknown_cost_is_not_zero() -> None:
    unknown = {"prompt_tokens": None, "completion_tokens": None, "cost_usd": None}
    assert completion(stored(usage=unknown))["usage"] is None
    assert completion(stored(usage={"cost_usd": None}))["usage"]["cost"] is None


def test_json_answer_is_text_as_the_model_wrote_it() -> None:
    said = '{"b": 1.10,\n "a": [1e2]}'
    assert message(stored_message({"content": said}, wants_json=True))["content"] == said


def test_json_answer_that_looks_like_tool_calls_is_text() -> None:
    said = '{"text": null, "tool_calls": []}'
    found = message(stored_message({"content": said}, wants_json=True))
    assert (found["content"], "tool_calls" in found) == (said, False)


def test_tool_calls_have_openais_form() -> None:
    response = stored_message({"content": None, "tool_calls": [CALL]}, finish_reason="tool_calls")
    assert message(response) == {"role": "assistant", "content": None, "refusal": None, "tool_calls": [CALL]}
    assert completion(response)["choices"][0]["finish_reason"] == "tool_calls"


def test_tool_calls_beside_text_keep_it() -> None:
    found = message(stored_message({"content": "Let me look.", "tool_calls": [CALL]}))
    assert (found["content"], found["tool_calls"]) == ("Let me look.", [CALL])


def test_tool_calls_without_an_id_get_one() -> None:
    calls = [{"function": CALL["function"]}, {"function": CALL["function"]}]
    ids = [call["id"] for call in message(stored_message({"tool_calls": calls}))["tool_calls"]]
    assert ids == [f"call_{EXECUTION_ID}_0", f"call_{EXECUTION_ID}_1"]


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("stop", "stop"),
        ("length", "length"),
        ("content_filter", "content_filter"),
        ("daydreaming", "stop"),
        (None, "stop"),
        ("tool_calls", "stop"),
    ],
)
def test_finish_reason_is_one_that_clients_know(reason: str | None, expected: str) -> None:
    assert completion(stored(finish_reason=reason))["choices"][0]["finish_reason"] == expected


def test_finish_reason_of_tool_calls_is_theirs() -> None:
    response = stored_message({"tool_calls": [CALL]}, finish_reason="stop")
    assert completion(response)["choices"][0]["finish_reason"] == "tool_calls"


def test_refusal_is_no_content() -> None:
    found = message(stored_message({"content": None, "refusal": "I cannot."}))
    assert (found["content"], found["refusal"]) == (None, "I cannot.")


def test_reasoning_is_a_field_of_its_own() -> None:
    details = [{"type": "reasoning.encrypted", "data": "…", "signature": "s"}]
    found = message(stored({"type": "text", "content": "4", "reasoning": "2 + 2", "reasoning_details": details}))
    assert (found["content"], found["reasoning"], found["reasoning_details"]) == ("4", "2 + 2", details)


def test_images_are_absolute_links() -> None:
    output = {"type": "image", "content": "See /api/images/img_1.", "urls": ["/api/images/img_1"]}
    found = message(stored(output, stream={"media_types": ["image/png"]}))
    link = f"{ADDRESS}/api/images/img_1"
    assert found["content"] == f"See {link}."
    assert found["images"] == [{"type": "image_url", "image_url": {"url": link}}]


def test_images_beside_tool_calls_keep_them() -> None:
    call = {"id": "call_1", "name": "look_up", "arguments": '{"q": 1}'}
    output = {"type": "image", "content": None, "urls": ["/api/images/img_1"], "tool_calls": [call]}
    assert message(stored(output))["tool_calls"] == [CALL]


def test_citations_are_annotations_with_the_fields_that_clients_require() -> None:
    citations = [
        {"url": "https://a.example", "title": None},
        {"url": "https://b.example", "title": "B", "content": "text", "start_index": 2, "end_index": 5},
    ]
    found = message(stored({"type": "text", "content": "x", "citations": citations}))
    assert found["annotations"] == [
        {
            "type": "url_citation",
            "url_citation": {"url": "https://a.example", "title": "", "start_index": 0, "end_index": 0},
        },
        {"type": "url_citation", "url_citation": citations[1]},
    ]


def test_empty_text_is_text() -> None:
    assert message(stored({"type": "text", "content": None}))["content"] == ""
