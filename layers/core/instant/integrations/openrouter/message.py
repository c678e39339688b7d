"""Converts one assistant message into an output: text, JSON, tool calls, images, citations and reasoning."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from instant.domain.executions.output import Citation, Output
from instant.integrations.openrouter.parsing import mapping, sequence, text


def read_output(message: Mapping[str, Any], *, has_images: bool, wants_json: bool) -> Output | None:
    """The output for the caller; None if the message contains no text, image or tool call.

    Tool calls without images are JSON: `{"text", "tool_calls"}`. If JSON was requested, a JSON answer is JSON, too;
    an answer that cannot be parsed stays text.
    """
    content = _content(message)
    calls = [_tool_call(mapping(call)) for call in sequence(message.get("tool_calls"))]
    output: Output
    if has_images:
        output = {"type": "image", "content": content, "urls": []}
        if calls:
            output["tool_calls"] = calls
    elif calls:
        output = {"type": "json", "content": {"text": content, "tool_calls": calls}}
    elif content is None:
        return None
    else:
        output = _json(content) if wants_json else {"type": "text", "content": content}
    return _with_sources(output, message)


def image_urls(message: Mapping[str, Any]) -> Iterator[str]:
    """The images as received: data URLs, or links."""
    for image in sequence(message.get("images")):
        url = mapping(mapping(image).get("image_url")).get("url")
        if isinstance(url, str):
            yield url


def _with_sources(output: Output, message: Mapping[str, Any]) -> Output:
    if citations := list(_citations(message)):
        output["citations"] = citations
    if thoughts := text(message.get("reasoning")):
        output["reasoning"] = thoughts
    return output


def _content(message: Mapping[str, Any]) -> str | None:
    """The text: a string, or the text parts of a list; a refusal is text of the model, so it is an answer."""
    content = message.get("content")
    if isinstance(content, list):
        content = "".join(text(mapping(part).get("text")) or "" for part in content)
    return text(content) or text(message.get("refusal"))


def _json(content: str) -> Output:
    try:
        return {"type": "json", "content": json.loads(content, parse_constant=_refuse)}
    except (ValueError, RecursionError):
        return {"type": "text", "content": content}


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _citations(message: Mapping[str, Any]) -> Iterator[Citation]:
    for annotation in sequence(message.get("annotations")):
        source = mapping(mapping(annotation).get("url_citation"))
        if url := text(source.get("url")):
            yield {"url": url, "title": text(source.get("title"))}


def _tool_call(call: Mapping[str, Any]) -> dict[str, object]:
    """A tool call with `arguments` as JSON text, even where a provider sends them as an object."""
    function = mapping(call.get("function"))
    arguments = function.get("arguments")
    if not isinstance(arguments, str | None):
        arguments = json.dumps(arguments, default=float)
    return {"id": text(call.get("id")), "name": text(function.get("name")), "arguments": arguments}
