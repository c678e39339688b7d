"""Chat responses are parsed in every known shape and in some hypothetical ones."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instant.domain.errors import EmptyAnswer, InstantError, Moderated, RateLimited, UpstreamError
from instant.domain.exchange import Reply
from instant.domain.executions.failure import Failure
from instant.domain.executions.receipt import Receipt
from instant.integrations.openrouter.chat import chat_request, read_chat

USAGE = {"prompt_tokens": 12, "completion_tokens": 34, "total_tokens": 46, "cost": 0.00000034, "is_byok": False}


def reply_with(
    message: object,
    *,
    usage: object = USAGE,
    finish: object = "stop",
    choice: dict[str, Any] | None = None,
    **more: Any,
) -> Reply:
    """Return a 200 with one choice."""
    body = {
        "id": "gen-1",
        "model": "meadow/lark-mini-2026",
        "provider": "Meadow",
        "choices": [{"index": 0, "finish_reason": finish, "message": message, **(choice or {})}],
        "usage": usage,
        **more,
    }
    return raw(json.dumps(body).encode())


def raw(body: bytes) -> Reply:
    """Return a 200 with these bytes."""
    return Reply(status=200, body=body, headers={"x-generation-id": "gen-1"})


def test_chat_returns_text_with_its_receipt() -> None:
    answer = read_chat(reply_with({"role": "assistant", "content": "Hello."}))
    assert answer.output == {"type": "text", "content": "Hello."}
    assert answer.receipt.cost_nanousd == 340
    assert (answer.receipt.model, answer.receipt.provider) == ("meadow/lark-mini-2026", "Meadow")
    assert (answer.receipt.prompt_tokens, answer.receipt.completion_tokens) == (12, 34)
    assert (answer.receipt.generation_id, answer.receipt.finish_reason) == ("gen-1", "stop")


def test_chat_ignores_blank_lines_before_the_answer() -> None:
    delayed = reply_with({"content": "Hello."})
    assert read_chat(raw(b"\n         \n" * 30 + delayed.body)).output["content"] == "Hello."


def test_chat_returns_tool_calls() -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": '{"at": 1.5}'}}
    answer = read_chat(reply_with({"content": None, "tool_calls": [call, call]}, finish="tool_calls"))
    expected = {"id": "call_1", "name": "look", "arguments": '{"at": 1.5}'}
    assert answer.output == {"type": "json", "content": {"text": None, "tool_calls": [expected, expected]}}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"at": 1.5}, '{"at": 1.5}'),
        ({"at": [12345678901234567890, None]}, '{"at": [12345678901234567890, null]}'),
        ([], "[]"),
        (1.5, "1.5"),
        ('{"at":1.50}', '{"at":1.50}'),
        ("no JSON", "no JSON"),
        (None, "{}"),
        ("", "{}"),
        (" \n", "{}"),
    ],
)
def test_chat_converts_non_text_tool_arguments_to_text(arguments: object, expected: object) -> None:
    call = {"id": 1.5, "function": {"name": "look", "arguments": arguments}}
    answer = read_chat(reply_with({"tool_calls": [call]}))
    assert json.loads(json.dumps(answer.output)) == answer.output
    content = answer.output["content"]
    assert isinstance(content, dict)
    assert content["tool_calls"] == [{"id": None, "name": "look", "arguments": expected}]


def test_chat_joins_text_parts_and_ignores_others() -> None:
    parts = [{"type": "text", "text": "one "}, {"type": "image_url"}, "junk", {"text": 7}, {"text": "two"}]
    assert read_chat(reply_with({"content": parts})).output["content"] == "one two"


def test_chat_returns_a_model_refusal_as_an_answer() -> None:
    answer = read_chat(reply_with({"content": None, "refusal": "I would rather not."}))
    assert answer.output == {"type": "text", "content": None, "refusal": "I would rather not."}


def test_chat_returns_a_refusal_among_the_parts_of_the_content() -> None:
    answer = read_chat(
        reply_with({"content": [{"type": "refusal", "refusal": "No."}, {"type": "text", "text": "Sorry."}]})
    )
    assert answer.output == {"type": "text", "content": "Sorry.", "refusal": "No."}


def test_chat_keeps_text_beside_a_refusal() -> None:
    answer = read_chat(reply_with({"content": "Only so much.", "refusal": "I would rather not."}))
    assert answer.output == {"type": "text", "content": "Only so much.", "refusal": "I would rather not."}


@pytest.mark.parametrize("calls", [[None], [{}], ["junk"], [{"id": "c", "function": {"name": "", "arguments": " "}}]])
def test_chat_omits_tool_calls_that_call_nothing(calls: object) -> None:
    assert read_chat(reply_with({"content": "hello", "tool_calls": calls})).output == {
        "type": "text",
        "content": "hello",
    }


@pytest.mark.parametrize(
    "message", [{"tool_calls": [{"function": {"name": "now"}}]}, {"function_call": {"name": "now"}}]
)
def test_chat_returns_a_tool_call_without_arguments(message: dict[str, Any]) -> None:
    content = read_chat(reply_with(message)).output["content"]
    assert content == {"text": None, "tool_calls": [{"id": None, "name": "now", "arguments": "{}"}]}


def test_chat_returns_deeply_nested_arguments_as_text() -> None:
    deep = b'{"at":' * 5_000 + b"0.10" + b"}" * 5_000
    answer = read_chat(raw(b'{"choices":[{"message":{"tool_calls":[{"function":{"arguments":%s}}]}}]}' % deep))
    content = answer.output["content"]
    assert isinstance(content, dict)
    assert content["tool_calls"][0]["arguments"].replace(" ", "").encode() == deep


def test_chat_returns_the_transcript_of_a_spoken_answer() -> None:
    answer = read_chat(reply_with({"content": None, "audio": {"data": "UklGRg==", "transcript": "Hello."}}))
    assert answer.output == {"type": "text", "content": "Hello."}


@pytest.mark.parametrize("size", [201, 450_000])
def test_chat_cuts_facts_and_drops_long_ids(size: int) -> None:
    reply = reply_with({"content": "Hi."}, finish="f" * size, id="g" * size, model="m" * size, provider="p" * size)
    for headers in ({}, {"x-generation-id": "h" * size}):
        receipt = read_chat(Reply(status=200, body=reply.body, headers=headers)).receipt
        assert receipt.generation_id is None
        assert (receipt.model, receipt.provider, receipt.finish_reason) == ("m" * 200, "p" * 200, "f" * 200)
        assert receipt.cost_nanousd == 340


def test_chat_uses_the_id_in_the_body_if_the_header_is_too_long() -> None:
    reply = reply_with({"content": "Hi."}, id="gen-" + "1" * 196)
    answer = read_chat(Reply(status=200, body=reply.body, headers={"x-generation-id": "h" * 201}))
    assert answer.receipt.generation_id == "gen-" + "1" * 196


def test_chat_returns_an_answer_truncated_by_length() -> None:
    answer = read_chat(reply_with({"content": "Once upon"}, finish="length"))
    assert answer.output["content"] == "Once upon"
    assert answer.receipt.finish_reason == "length"


def test_chat_replaces_lone_surrogates_in_every_part() -> None:
    half = "\ud83d"
    cited = {"url": f"https://a.example/{half}", "title": half, "content": half}
    call = {
        "id": half,
        "function": {"name": f"look{half}", "arguments": f'{{"q": "{half}", "r": "\\ud83d \\ud83d\\ude00"}}'},
    }
    message = {"content": half, "refusal": half, "reasoning": half, "annotations": [{"url_citation": cited}]}
    answer = read_chat(reply_with({**message, "tool_calls": [call]}, finish=half, model=half, provider=half))
    assert answer.output == {
        "type": "json",
        "content": {
            "text": "?",
            "tool_calls": [{"id": "?", "name": "look?", "arguments": '{"q": "?", "r": "? \\ud83d\\ude00"}'}],
        },
        "refusal": "?",
        "citations": [{"url": "https://a.example/?", "title": "?", "content": "?"}],
        "reasoning": "?",
    }
    assert (answer.receipt.model, answer.receipt.provider, answer.receipt.finish_reason) == ("?", "?", "?")


EMPTY: dict[str, tuple[object, object, type[InstantError]]] = {
    "empty text": ({"content": ""}, "stop", EmptyAnswer),
    "blank text": ({"content": " \n"}, "stop", EmptyAnswer),
    "null": ({"content": None}, None, EmptyAnswer),
    "no message": (None, "stop", EmptyAnswer),
    "reasoning only": ({"content": "", "reasoning": "hm", "reasoning_details": [{}]}, "length", EmptyAnswer),
    "no tool calls": ({"content": None, "tool_calls": []}, "tool_calls", EmptyAnswer),
    "filtered": ({"content": ""}, "content_filter", Moderated),
}


@pytest.mark.parametrize("case", EMPTY)
def test_chat_rejects_an_empty_answer_and_records_its_cost(case: str) -> None:
    message, finish, kind = EMPTY[case]
    with pytest.raises(Failure) as caught:
        read_chat(reply_with(message, finish=finish))
    assert type(caught.value.error) is kind
    assert caught.value.receipt is not None
    assert caught.value.receipt.cost_nanousd == 340
    assert not caught.value.outcome_unknown


def test_chat_empty_answer_at_length_limit_names_setting_to_raise() -> None:
    with pytest.raises(Failure, match="Raise max_tokens"):
        read_chat(reply_with({"content": "", "reasoning": "hm"}, finish="length"))


def test_chat_raises_on_an_error_beside_the_choices() -> None:
    with pytest.raises(Failure) as caught:
        read_chat(reply_with({"content": "Hel"}, error={"code": 429, "message": "late"}))
    assert type(caught.value.error) is RateLimited
    assert caught.value.receipt is not None
    assert caught.value.receipt.cost_nanousd == 340


def test_chat_raises_on_an_error_inside_a_choice() -> None:
    with pytest.raises(Failure) as caught:
        read_chat(reply_with({"content": "Hel"}, choice={"error": {"code": 502, "message": "late"}}))
    assert type(caught.value.error) is UpstreamError


def test_chat_raises_on_finish_by_error_and_records_the_cost() -> None:
    with pytest.raises(Failure) as caught:
        read_chat(reply_with({"content": "Hel"}, finish="error"))
    assert type(caught.value.error) is UpstreamError
    assert caught.value.receipt is not None
    assert caught.value.receipt.cost_nanousd == 340


def test_chat_records_zero_cost_for_an_error_without_choices() -> None:
    with pytest.raises(Failure) as caught:
        read_chat(raw(b'{"error": {"message": "late"}}'))
    assert type(caught.value.error) is UpstreamError
    assert caught.value.receipt is not None
    assert caught.value.receipt.cost_nanousd == 0


UNREADABLE = {
    "html": b"<html>Please stand by.</html>",
    "nothing": b"",
    "blank lines": b"\n\n  \n",
    "truncated": b'{"choices": [{"message": {"content": "Hel',
    "deep": b"[" * 1_000_000,
    "deep inside": b'{"choices":' + b"[" * 500_000 + b"]" * 500_000 + b"}",
    "nan": b'{"choices": [], "usage": {"cost": NaN}}',
    "infinity": b'{"choices": [], "usage": {"cost": -Infinity}}',
    "exponent": b'{"usage": {"cost": 1e99999999999999999999999}}',
    "digits": b'{"usage": {"cost": ' + b"9" * 100_000 + b"}}",
    "not utf-8": b'{"a": "\xff\xfe"}',
    "list": b"[]",
    "null": b"null",
    "text": b'"Hello."',
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_chat_records_unknown_cost_for_an_unreadable_answer(case: str) -> None:
    with pytest.raises(Failure) as caught:
        read_chat(raw(UNREADABLE[case]))
    assert type(caught.value.error) is UpstreamError
    assert caught.value.outcome_unknown
    assert not caught.value.error.retryable
    assert caught.value.receipt == Receipt(generation_id="gen-1")


BYOK_PARTS = {
    "upstream_inference_cost": None,
    "upstream_inference_prompt_cost": 0.0008,
    "upstream_inference_completions_cost": 0.0004,
}
NO_PROMPT_PART = {"upstream_inference_prompt_cost": None}

COSTS: dict[str, tuple[object, int | None]] = {
    "plain": ({"cost": 0.0000812}, 81_200),
    "rounded up": ({"cost": 0.0000000001}, 1),
    "free": ({"cost": 0}, 0),
    "string": ({"cost": "0.5"}, 500_000_000),
    "missing": ({}, None),
    "null": ({"cost": None}, None),
    "negative": ({"cost": -0.1}, None),
    "true": ({"cost": True}, None),
    "text": ({"cost": "none"}, None),
    "too large": ({"cost": "1e300"}, None),
    "byok": ({"cost": 0.001, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.02}}, 21_000_000),
    "byok without a bill": ({"cost": 0.001, "is_byok": True, "cost_details": None}, None),
    "byok with a null bill": ({"cost": 0, "is_byok": True, "cost_details": {"upstream_inference_cost": None}}, None),
    "byok in parts": ({"cost": 0.001, "is_byok": True, "cost_details": {**BYOK_PARTS}}, 2_200_000),
    "byok with one part": ({"cost": 0, "is_byok": True, "cost_details": {**BYOK_PARTS, **NO_PROMPT_PART}}, None),
    "byok that costs nothing": ({"cost": 0, "is_byok": True, "cost_details": {"upstream_inference_cost": 0}}, 0),
    "byok refund": ({"cost": 0.001, "is_byok": True, "cost_details": {"upstream_inference_cost": -5}}, None),
    "byok without a fee": ({"is_byok": True, "cost_details": {"upstream_inference_cost": 0.02}}, None),
    "underscores": ({"cost": "1_000"}, None),
    "arabic digits": ({"cost": "\u0661"}, None),
    "more than can be added up": ({"cost": 1e13}, None),
    "not byok": ({"cost": 0.001, "is_byok": False, "cost_details": {"upstream_inference_cost": 0.02}}, 1_000_000),
    "no usage": (None, None),
    "invalid usage": ("a lot", None),
}


@pytest.mark.parametrize("case", COSTS)
def test_chat_cost_is_exact_and_unknown_is_not_zero(case: str) -> None:
    usage, cost = COSTS[case]
    assert read_chat(reply_with({"content": "Hi."}, usage=usage)).receipt.cost_nanousd == cost


@pytest.mark.parametrize(
    ("value", "count"),
    [(7, 7), (7.0, 7), (0, 0), (-1, None), (7.5, None), (True, None), ("7", None), (None, None), (1e300, None)],
)
def test_chat_counters_are_whole_numbers_or_unknown(value: object, count: int | None) -> None:
    usage = {"prompt_tokens": value, "completion_tokens": value}
    receipt = read_chat(reply_with({"content": "Hi."}, usage=usage)).receipt
    assert (receipt.prompt_tokens, receipt.completion_tokens) == (count, count)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = ("content", "refusal", "tool_calls", "error", "usage", "finish_reason", "cost", "message", "function")


@given(st.dictionaries(st.sampled_from(KEYS), JSON), st.dictionaries(st.sampled_from(KEYS), JSON), JSON)
def test_chat_returns_an_answer_or_a_failure_for_any_json(
    message: dict[str, Any], choice: dict[str, Any], usage: object
) -> None:
    reply = reply_with(message, usage=usage, choice=choice)
    try:
        answer = read_chat(reply)
    except Failure as failure:
        json.dumps(failure.error.body())
    else:
        json.dumps(answer.output)
        assert answer.output["content"] or answer.output["refusal"]


def test_chat_request_contains_its_body_and_no_key() -> None:
    body = {"model": "meadow/lark-mini", "messages": [{"role": "user", "content": "Hi."}], "max_completion_tokens": 200}
    request = chat_request(body, max_reply_bytes=4_000_000)
    assert request.body is not None
    assert json.loads(request.body) == body
    assert (request.method, request.path, request.bearer) == ("POST", "/chat/completions", None)
    assert request.max_reply_bytes == 4_000_000
    assert request.id_header == "x-generation-id"


def test_chat_keeps_every_digit_of_decimal_numbers() -> None:
    body = b'{"choices":[{"message":{"content":"Hi."}}],"usage":{"cost":0.12345678901234567890}}'
    assert read_chat(raw(body)).receipt.cost_nanousd == 123_456_790


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"content": " [1] "}, " [1] "),
        ({"content": "[1"}, None),
        ({"content": "[1]", "tool_calls": [{"function": {"name": "look"}}]}, None),
    ],
)
def test_text_of_an_answer_in_json_is_kept(message: dict[str, Any], text: str | None) -> None:
    assert read_chat(reply_with(message), wants_json=True).text == text
