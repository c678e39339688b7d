"""Deliver an output: inline, or by URL if a response cannot hold it; read responses that were stored."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from instant.domain.errors import TooLarge
from instant.domain.executions.output import Answer
from instant.domain.json_values import ascii_text, is_deeper, map_strings, response_bytes, utf8_text
from instant.domain.limits import MAX_RESPONSE_BYTES

MAX_INLINE_BYTES = MAX_RESPONSE_BYTES - 100_000
"""Maximum size of an output inside Lambda's response; the rest is for the other fields of the response."""

STREAM = "stream"
"""The member of a stored response that is not delivered: what a stream shows and the output does not hold."""

MAX_STORED_DEPTH = 64
"""A response of this version is less deep: its output has at most 60 levels."""

_LONE = re.compile("[\ud800-\udfff]")

_MAX_ADDRESS = 300
"""Bytes that making a path an absolute URL adds at most."""

_ALWAYS_INLINE = ("type", "urls", "unreadable_images")


class OutputPart(StrEnum):
    """The part of an output that a document has: all of it, or its content."""

    OUTPUT = "output"
    CONTENT = "content"


@dataclass(frozen=True, slots=True)
class Document:
    """An output, or its content, as a file."""

    data: bytes
    content_type: str
    name: str


def deliverable(stored: dict[str, Any]) -> dict[str, Any]:
    """The response to deliver; an output that is too large for it is replaced by its URL, as a path of this API.

    The result depends on the stored response only, so that repeats are byte-identical.
    """
    response = {name: value for name, value in stored.items() if name != STREAM}
    output = response.get("output")
    if output is None or _fits(output):
        return response
    others = {name: value for name, value in output.items() if name != "content"}
    part = OutputPart.CONTENT if _fits(others) else OutputPart.OUTPUT
    if part is OutputPart.OUTPUT:
        others = {name: value for name, value in others.items() if name in _ALWAYS_INLINE}
    size = len(document_of(output, part).data)
    short = {"content": None, "url": _path(response["execution_id"], part), "size_bytes": size}
    return {**response, "output": {"type": output["type"], **short, **others}, **_notice(size).body()}


def stream_facts(answer: Answer) -> dict[str, Any]:
    """The member `stream` of the stored response of `answer`: what a stream shows and the output does not hold."""
    text = {} if answer.text is None else {"text": answer.text}
    media_types = {"media_types": list(answer.media_types)} if answer.media_types else {}
    facts = {**text, **media_types, **({"replaced": True} if answer.is_replaced else {})}
    return {STREAM: facts} if facts else {}


def streamed_text(stored: Mapping[str, Any]) -> str:
    """The text that a stream of this stored response shows; empty if the model wrote none, or only data."""
    content, facts = stored["output"]["content"], stored.get(STREAM, {})
    if "text" in facts:
        text: str = facts["text"]
        return text
    if stored["output"]["type"] == "json" and isinstance(content, dict) and "tool_calls" in content:
        content = content.get("text")
    return content if isinstance(content, str) else ""


def text_was_replaced(stored: Mapping[str, Any]) -> bool:
    """Whether the stream of this stored response showed another text before."""
    return "replaced" in stored.get(STREAM, {})


def streamed_tool_calls(stored: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The tool calls of this stored response, with `id`, `name` and `arguments`."""
    output, content = stored["output"], stored["output"]["content"]
    is_json_answer = output["type"] != "json" or "text" in stored.get(STREAM, {})
    if not is_json_answer and isinstance(content, dict) and content.keys() == {"text", "tool_calls"}:
        output = content
    calls: list[dict[str, Any]] = output.get("tool_calls", [])
    return calls


def streamed_media_types(stored: Mapping[str, Any]) -> list[str | None]:
    """The type of each image in the output's `urls`; None in responses of earlier versions."""
    known: list[str | None] = stored.get(STREAM, {}).get("media_types", [])
    return known or [None for _ in stored["output"].get("urls", [])]


def document_of(output: dict[str, Any], part: OutputPart) -> Document:
    """A text as plain text, anything else as JSON."""
    value = output["content"] if part is OutputPart.CONTENT else output
    if isinstance(value, str):
        return Document(value.encode(errors="replace"), "text/plain; charset=utf-8", f"{part}.txt")
    return Document(utf8_text(value).encode(), "application/json", f"{part}.json")


def _fits(output: dict[str, Any]) -> bool:
    """Whether the output fits as UTF-8; in ASCII it is never shorter, but takes less memory."""
    text = ascii_text(output)
    return _size(text) <= MAX_INLINE_BYTES or ("\\u" in text and _size(utf8_text(output)) <= MAX_INLINE_BYTES)


def _size(text: str) -> int:
    return response_bytes(text) + text.count("/api/") * _MAX_ADDRESS


def _path(execution_id: str, part: OutputPart) -> str:
    path = f"/api/executions/{execution_id}/output"
    return path if part is OutputPart.OUTPUT else f"{path}?part={part}"


def _notice(size: int) -> TooLarge:
    """Stands beside the output, so that a client that does not read `url` does not take the content for empty."""
    return TooLarge(
        f"The call succeeded, but its output of {size} bytes is too large for a response. Read it at output.url.",
        details={"limit": "response_bytes", "most": MAX_INLINE_BYTES},
    )


def stored_response(text: str) -> dict[str, Any]:
    """The response in `text`; lone surrogates are replaced by `?`, and an output that is nested deeper is text."""
    response: dict[str, Any] = json.loads(text)
    if "\\ud" in text.lower():
        response = map_strings(response, lambda each: _LONE.sub("?", each))
    if is_deeper(response, MAX_STORED_DEPTH):
        output = response["output"]
        response["output"] = {"type": "text", "content": json.dumps(output.get("content"), ensure_ascii=False)}
    return response
