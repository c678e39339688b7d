"""Outputs are delivered inline while they fit into Lambda's response, otherwise by URL."""

import json
from typing import Any

import pytest

from instant.domain.executions.delivery import (
    MAX_INLINE_BYTES,
    OutputPart,
    deliverable,
    document_of,
    stream_facts,
    streamed_media_types,
    streamed_text,
)
from instant.domain.executions.output import Answer, Output
from instant.domain.executions.receipt import Receipt
from instant.domain.json_values import json_text, response_bytes, utf8_text
from instant.domain.limits import MAX_RESPONSE_BYTES

QUOTES = '"' * 1_700_000
PATH = "/api/executions/exe_1/output"


def a_response(content: Any, **others: Any) -> dict[str, Any]:
    """Return a response body with this output."""
    kind = "text" if isinstance(content, str) else "json"
    return {"success": True, "execution_id": "exe_1", "output": {"type": kind, "content": content, **others}}


@pytest.mark.parametrize("content", ["short", "中" * 1_300_000, '"' * 1_500_000, ["x"], None])
def test_output_that_fits_is_inline(content: Any) -> None:
    response = a_response(content)
    assert deliverable(response) == response
    assert response_bytes(json_text(response)) < MAX_RESPONSE_BYTES


@pytest.mark.parametrize("content", [QUOTES, "\x01" * 1_000_000, "\\" * 1_600_000, [QUOTES], {QUOTES: 1}])
def test_large_content_is_replaced_by_its_url(content: Any) -> None:
    delivered = deliverable(a_response(content, reasoning="because"))
    size = len(document_of({"content": content}, OutputPart.CONTENT).data)
    kind = "text" if isinstance(content, str) else "json"
    short = {"type": kind, "content": None, "url": f"{PATH}?part=content", "size_bytes": size}
    assert delivered["output"] == {**short, "reasoning": "because"}
    assert (delivered["success"], delivered["error"]["code"], delivered["error"]["retryable"]) == (
        True,
        "too_large",
        False,
    )


def test_large_other_fields_are_replaced_with_the_content() -> None:
    response = a_response("short", reasoning=QUOTES, urls=["/api/images/img_1"])
    delivered = deliverable(response)["output"]
    size = len(utf8_text(response["output"]).encode())
    short = {"type": "text", "content": None, "url": PATH, "size_bytes": size}
    assert delivered == {**short, "urls": ["/api/images/img_1"]}


@pytest.mark.parametrize("count", [10, 60_000])
def test_paths_count_as_absolute_urls(count: int) -> None:
    response = a_response("/api/images/img_1 " * count, urls=["/api/images/img_1"])
    assert response_bytes(utf8_text(response["output"])) < MAX_INLINE_BYTES
    assert ("url" in deliverable(response)["output"]) == (count > 10)


def test_repeats_are_identical() -> None:
    stored = json.dumps(a_response(QUOTES))
    assert json_text(deliverable(json.loads(stored))) == json_text(deliverable(json.loads(stored)))


@pytest.mark.parametrize(
    ("output", "part", "data", "content_type"),
    [
        ({"type": "text", "content": "中"}, OutputPart.CONTENT, "中", "text/plain; charset=utf-8"),
        ({"type": "text", "content": "中"}, OutputPart.OUTPUT, '{"type":"text","content":"中"}', "application/json"),
        ({"type": "json", "content": ["中"]}, OutputPart.CONTENT, '["中"]', "application/json"),
        ({"type": "text", "content": "\ud83d"}, OutputPart.CONTENT, "?", "text/plain; charset=utf-8"),
    ],
)
def test_document_is_text_or_json(output: dict[str, Any], part: OutputPart, data: str, content_type: str) -> None:
    document = document_of(output, part)
    assert (document.data.decode(), document.content_type) == (data, content_type)


def stored(output: Any, **facts: Any) -> dict[str, Any]:
    """Return the stored response of an answer with this output and these facts."""
    return {"output": output, **stream_facts(Answer(output, Receipt(), **facts))}


def test_facts_for_streams_are_stored_but_not_delivered() -> None:
    response = stored({"type": "json", "content": 1}, text=" 1", media_types=("image/png",))
    assert response["stream"] == {"text": " 1", "media_types": ["image/png"]}
    assert deliverable(response) == {"output": response["output"]}
    assert "stream" not in deliverable({**a_response(QUOTES), "stream": {"text": QUOTES}})


def test_output_that_holds_all_that_a_stream_shows_has_no_facts() -> None:
    assert stored({"type": "text", "content": "Hello."}) == {"output": {"type": "text", "content": "Hello."}}


@pytest.mark.parametrize(
    ("output", "text", "streamed"),
    [
        ({"type": "text", "content": "Hello."}, None, "Hello."),
        ({"type": "text", "content": None, "refusal": "No."}, None, ""),
        ({"type": "image", "content": "A boat.", "urls": []}, None, "A boat."),
        ({"type": "json", "content": {"text": "Wait.", "tool_calls": [{}]}}, None, "Wait."),
        ({"type": "json", "content": {"text": None, "tool_calls": [{}]}}, None, ""),
        ({"type": "json", "content": {"tool_calls": []}}, '{ "tool_calls": [] }', '{ "tool_calls": [] }'),
        ({"type": "json", "content": [0.5]}, None, ""),
    ],
)
def test_streamed_text_is_as_the_model_wrote_it(output: Output, text: str | None, streamed: str) -> None:
    assert streamed_text(stored(output, text=text)) == streamed


def test_media_types_of_earlier_versions_are_unknown() -> None:
    output = {"type": "image", "content": None, "urls": ["/api/images/img_1"]}
    assert streamed_media_types(stored(output)) == [None]
    assert streamed_media_types(stored(output, media_types=("image/png",))) == ["image/png"]
    assert streamed_media_types(stored({"type": "text", "content": "Hello."})) == []
