"""A stored response as OpenAI's chat.completion: message, reason for the end, usage."""

from collections.abc import Mapping
from typing import Any, Literal, NotRequired, TypedDict

from instant.domain.executions.delivery import streamed_text, streamed_tool_calls
from instant.domain.json_values import json_text
from instant.entrypoints.http.fields import JsonObject
from instant.entrypoints.http.links import with_links

type Stored = Mapping[str, Any]
"""The stored response of an execution."""


class CalledFunction(TypedDict):
    """The function that the model called, with its arguments as JSON text."""

    name: str
    arguments: str


class ToolCall(TypedDict):
    """A tool call."""

    id: str
    type: Literal["function"]
    function: CalledFunction


class Message(TypedDict):
    """The answer; `reasoning_details` can be sent back in the next turn, unchanged."""

    role: Literal["assistant"]
    content: str | None
    refusal: str | None
    tool_calls: NotRequired[list[ToolCall]]
    reasoning: NotRequired[str]
    reasoning_details: NotRequired[list[JsonObject]]
    images: NotRequired[list[JsonObject]]
    annotations: NotRequired[list[JsonObject]]


class Choice(TypedDict):
    """The only choice."""

    index: Literal[0]
    message: Message
    finish_reason: str
    logprobs: None


class CompletionUsage(TypedDict):
    """The usage; `cost` is in US dollars, null if the provider did not report it."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: dict[str, int]
    completion_tokens_details: dict[str, int]
    cost: float | None


class ChatCompletion(TypedDict):
    """A completion; `id` is that of the execution, `model` as it was asked for."""

    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    provider: str | None
    system_fingerprint: None
    choices: list[Choice]
    usage: CompletionUsage | None


def completion_text(stored: Stored, model: str, created: int, address: str) -> str:
    """The JSON of the completion; `address` makes links absolute."""
    body = {
        "id": stored["execution_id"],
        "object": "chat.completion",
        "created": created,
        "model": model,
        "provider": stored["provider"],
        "system_fingerprint": None,
        "choices": [
            {
                "index": 0,
                "message": message_of(stored, address),
                "finish_reason": finish_reason(stored),
                "logprobs": None,
            }
        ],
    }
    return f'{json_text(body)[:-1]},"usage":{usage_text(stored)}}}'


def message_of(stored: Stored, address: str) -> Message:
    """The answer as the assistant's message."""
    output, calls = _linked(stored, address), tool_calls_of(stored)
    message: Message = {
        "role": "assistant",
        "content": output["text"] or (None if calls or output.get("refusal") else ""),
        "refusal": output.get("refusal"),
    }
    if calls:
        message["tool_calls"] = calls
    if reasoning := output.get("reasoning"):
        message["reasoning"] = reasoning
    if details := output.get("reasoning_details"):
        message["reasoning_details"] = details
    if urls := output.get("urls"):
        message["images"] = [image_part(url) for url in urls]
    if citations := output.get("citations"):
        message["annotations"] = [_annotation(citation) for citation in citations]
    return message


def image_part(url: str) -> JsonObject:
    """An image of an answer."""
    return {"type": "image_url", "image_url": {"url": url}}


def tool_calls_of(stored: Stored) -> list[ToolCall]:
    """The tool calls of the answer; an id that the provider did not give is made up, since the next turn needs one."""
    return [
        {
            "id": call["id"] or f"call_{stored['execution_id']}_{number}",
            "type": "function",
            "function": {"name": call["name"] or "", "arguments": call["arguments"]},
        }
        for number, call in enumerate(streamed_tool_calls(stored))
    ]


def finish_reason(stored: Stored) -> str:
    """Why the answer ended, in one of OpenAI's words."""
    reason: str | None = stored["finish_reason"]
    if reason in {"length", "content_filter"}:
        return str(reason)
    return "tool_calls" if tool_calls_of(stored) else "stop"


def usage_text(stored: Stored) -> str:
    """The JSON of the usage, in which the cost has every digit; null if the provider reported none."""
    usage: Mapping[str, Any] = stored["usage"]
    prompt, completion = usage["prompt_tokens"], usage["completion_tokens"]
    if prompt is None and completion is None:
        return "null"
    counts = {
        "prompt_tokens": prompt or 0,
        "completion_tokens": completion or 0,
        "total_tokens": (prompt or 0) + (completion or 0),
        "prompt_tokens_details": _known(usage, "cached_tokens"),
        "completion_tokens_details": _known(usage, "reasoning_tokens", "image_tokens"),
    }
    return costed_text(counts, stored)


def costed_text(counts: JsonObject, stored: Stored) -> str:
    """The JSON of a usage with the cost in every digit."""
    return f'{json_text(counts)[:-1]},"cost":{stored["usage"]["cost_usd"] or "null"}}}'


def _known(usage: Mapping[str, Any], *names: str) -> dict[str, int]:
    return {name: count for name in names if (count := usage.get(name)) is not None}


def _linked(stored: Stored, address: str) -> dict[str, Any]:
    """The output with its text as the model wrote it, and with absolute links."""
    output = {**stored["output"], "text": streamed_text(stored)}
    linked: dict[str, Any] = with_links({"output": output}, address)["output"]
    return linked


def _annotation(citation: Mapping[str, Any]) -> JsonObject:
    places = {"start_index": citation.get("start_index", 0), "end_index": citation.get("end_index", 0)}
    return {"type": "url_citation", "url_citation": {**citation, "title": citation["title"] or "", **places}}
