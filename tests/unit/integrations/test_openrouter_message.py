"""Parts of a message other than text: sources, reasoning, images, tool calls and requested JSON."""

import json
from typing import Any

import pytest

from instant.domain.exchange import Reply
from instant.domain.executions.output import Answer
from instant.integrations.openrouter.chat import read_chat

PIXEL = "data:image/png;base64,iVBORw0KGgo="
IMAGE = {"type": "image_url", "image_url": {"url": PIXEL}}
CALL = {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
TOOL_CALL = {"id": "call_1", "name": "look", "arguments": "{}"}


def read(message: dict[str, Any], *, wants_json: bool = False) -> Answer:
    """Return the answer that is parsed from this message."""
    body = {"choices": [{"finish_reason": "stop", "message": message}]}
    return read_chat(Reply(status=200, body=json.dumps(body).encode()), wants_json=wants_json)


def test_message_lists_the_sources_of_a_search() -> None:
    cited = {
        "type": "url_citation",
        "url_citation": {
            "url": "https://a.example/1",
            "title": "One",
            "content": "…",
            "start_index": 0,
            "end_index": 5,
        },
    }
    untitled = {"type": "url_citation", "url_citation": {"url": "https://b.example"}}
    flat = {"type": "url_citation", "url": "https://c.example", "start_index": -1, "end_index": 7}
    invalid = [None, "x", {}, {"url_citation": None}, {"url_citation": {"url": 7}}, {"type": "file", "file": {}}]
    output = read({"content": "So it is.", "annotations": [cited, *invalid, untitled, flat]}).output
    assert output == {
        "type": "text",
        "content": "So it is.",
        "citations": [
            {"url": "https://a.example/1", "title": "One", "content": "…", "start_index": 0, "end_index": 5},
            {"url": "https://b.example", "title": None},
            {"url": "https://c.example", "title": None, "end_index": 7},
        ],
    }


def test_message_lists_the_sources_of_a_list_of_urls_once() -> None:
    listed = ["https://a.example", {"url": "https://b.example", "title": "B"}, 7, None]
    body = {
        "choices": [{"message": {"content": "x", "annotations": [{"url_citation": {"url": "https://a.example"}}]}}],
        "citations": listed,
    }
    answer = read_chat(Reply(status=200, body=json.dumps(body).encode()))
    assert answer.output["citations"] == [
        {"url": "https://a.example", "title": None},
        {"url": "https://b.example", "title": "B"},
    ]


@pytest.mark.parametrize(
    "message",
    [
        {"reasoning_content": "hm, so"},
        {"reasoning_details": [{"type": "reasoning.text", "text": "hm, "}, {"data": "e30="}, {"summary": "so"}]},
        {"content": [{"type": "thinking", "thinking": "hm, so"}, {"type": "text", "text": "4"}]},
        {"reasoning": "hm, so", "reasoning_content": "other", "reasoning_details": [{"text": "other"}]},
    ],
)
def test_message_returns_reasoning_in_each_spelling(message: dict[str, Any]) -> None:
    output = read({"content": "4", **message}).output
    output.pop("reasoning_details", None)
    assert output == {"type": "text", "content": "4", "reasoning": "hm, so"}


DETAILS: list[dict[str, Any]] = [
    {"type": "reasoning.text", "text": "2 and 2", "signature": "c2ln/+==", "format": "claude", "index": 0},
    {"type": "reasoning.encrypted", "data": f"{PIXEL} iVBORw0KGgo{'A' * 200}", "id": None, "index": 0},
    {"type": "reasoning.new", "weight": 0.1, "steps": [{"deep": [True, None, -7]}], "Żółć": ""},
]


@pytest.mark.parametrize("more", [{}, {"tool_calls": [CALL]}, {"images": [IMAGE]}])
def test_message_returns_structured_reasoning_unchanged(more: dict[str, Any]) -> None:
    answer = read({"content": "4", "reasoning": "2 and 2", "reasoning_details": DETAILS, **more})
    assert json.dumps(answer.output["reasoning_details"]) == json.dumps(DETAILS)
    assert answer.output["reasoning"] == "2 and 2"
    assert answer.images == ((PIXEL,) if "images" in more else ())


def test_message_takes_no_image_from_structured_reasoning() -> None:
    body = {"choices": [{"message": {"content": "4", "reasoning_details": DETAILS}}]}
    answer = read_chat(Reply(status=200, body=json.dumps(body).encode()), wants_images=True)
    assert (answer.output["type"], answer.images) == ("text", ())


def test_message_omits_structured_reasoning_that_json_cannot_hold() -> None:
    deep: Any = "x"
    for _ in range(70):
        deep = [deep]
    details = f'[7, null, {{}}, {{"data": 1e400}}, {{"data": {json.dumps(deep)}}}, {json.dumps(DETAILS[0])}]'
    body = f'{{"choices": [{{"message": {{"content": "4", "reasoning_details": {details}}}}}]}}'
    assert read_chat(Reply(status=200, body=body.encode())).output["reasoning_details"] == DETAILS[:1]


def test_message_returns_reasoning_beside_the_answer() -> None:
    output = read({"content": "4", "reasoning": "2 and 2"}).output
    assert output == {"type": "text", "content": "4", "reasoning": "2 and 2"}


@pytest.mark.parametrize("nothing", [None, "", " \n", 7, [], {}])
def test_message_omits_absent_parts(nothing: object) -> None:
    message = {"content": "4", "reasoning": nothing, "annotations": nothing, "images": nothing, "tool_calls": nothing}
    assert read(message).output == {"type": "text", "content": "4"}


@pytest.mark.parametrize(
    ("content", "value"),
    [('{"a": [1, 2.5, null]}', {"a": [1, 2.5, None]}), (" [1]\n", [1]), ('"word"', "word"), ("7", 7), ("null", None)],
)
def test_message_returns_requested_json_as_json(content: str, value: object) -> None:
    assert read({"content": content}, wants_json=True).output == {"type": "json", "content": value}
    assert read({"content": content}).output == {"type": "text", "content": content}


@pytest.mark.parametrize(
    "content",
    [
        '```json\n{"a": 1}\n```',
        '```\n{"a": 1}\n```',
        '\n```JSON\r\n{"a": 1}\r\n```\n',
        '~~~~ json\n{"a": 1}\n~~~~',
        '```json {"a": 1}```',
        '\ufeff{"a": 1}',
        '\ufeff```json\n\ufeff{"a": 1}```',
    ],
)
def test_message_returns_requested_json_in_a_fence_as_json(content: str) -> None:
    assert read({"content": content}, wants_json=True).output == {"type": "json", "content": {"a": 1}}
    assert read({"content": content}).output == {"type": "text", "content": content}


def test_message_keeps_a_fence_inside_requested_json() -> None:
    content = '```json\n{"a": "```py\\n1\\n```"}\n```'
    assert read({"content": content}, wants_json=True).output["content"] == {"a": "```py\n1\n```"}


@pytest.mark.parametrize(
    "content",
    [
        '{"a": 1',
        "Here it is: {}",
        'Use ```json\n{"a": 1}\n``` here.',
        '```json\n{"a": 1}\n```\n```json\n{"a": 2}\n```',
        '```json\n{"a": 1}',
        "NaN",
        "[1, Infinity]",
        "[" * 99_999,
    ],
)
def test_message_keeps_unparsable_json_as_text(content: str) -> None:
    assert read({"content": content}, wants_json=True).output == {"type": "text", "content": content}


@pytest.mark.parametrize(
    "content",
    [
        "[0.12345678901234567890]",
        "1e400",
        "[1e-400]",
        '{"a": 1, "a": 2}',
        '{"\\ud800": 1, "\\ud801": 2}',
        "9" * 5_000,
        "[" * 61 + "]" * 61,
        "[" * 400 + "]" * 400,
        '{"a":' * 400 + "1" + "}" * 400,
    ],
)
def test_message_keeps_json_that_cannot_be_returned_exactly_as_text(content: str) -> None:
    assert read({"content": content}, wants_json=True).output == {"type": "text", "content": content}


@pytest.mark.parametrize(
    "content", ["[" * 60 + "]" * 60, "[0.1, 1e3, 1.10, -0.0, 12345678901234567890123, 0.30000000000000004]"]
)
def test_message_returns_exact_json_as_json(content: str) -> None:
    output = read({"content": content}, wants_json=True).output
    assert output == {"type": "json", "content": json.loads(content)}


def test_message_replaces_lone_surrogates_in_requested_json() -> None:
    output = read({"content": r'{"\udc00": "\ud83d \ud83d\ude00"}'}, wants_json=True).output
    assert output == {"type": "json", "content": {"?": "? \U0001f600"}}


def test_message_returns_images_with_the_accompanying_text() -> None:
    answer = read({"content": "A dawn.", "images": [IMAGE, "junk", {"image_url": {"url": None}}, IMAGE]})
    assert answer.output == {"type": "image", "content": "A dawn.", "urls": []}
    assert answer.images == (PIXEL,)


def test_message_returns_an_image_without_text() -> None:
    answer = read({"content": None, "images": [IMAGE]})
    assert (answer.output, answer.images) == ({"type": "image", "content": None, "urls": []}, (PIXEL,))


def test_message_keeps_both_tool_calls_and_images() -> None:
    answer = read({"content": "A dawn.", "images": [IMAGE], "tool_calls": [CALL]})
    assert answer.output == {"type": "image", "content": "A dawn.", "urls": [], "tool_calls": [TOOL_CALL]}
    assert answer.images == (PIXEL,)


def test_message_keeps_sources_and_reasoning_with_any_answer() -> None:
    beside = {"reasoning": "hm", "annotations": [{"url_citation": {"url": "https://a.example"}}]}
    for message in ({"content": "{}"}, {"images": [IMAGE]}, {"tool_calls": [CALL]}):
        output = read({**message, **beside}, wants_json=True).output
        assert output["reasoning"] == "hm"
        assert output["citations"] == [{"url": "https://a.example", "title": None}]
