"""The items of an answer: its reasoning, its message, and its function calls."""

from collections.abc import Iterator
from typing import Any, Literal, NotRequired, TypedDict

from instant.entrypoints.http.fields import JsonObject
from instant.entrypoints.openai.completion import Message, Stored, finish_reason, message_of
from instant.entrypoints.openai.responses.reasoning import sealed

type Status = Literal["in_progress", "completed", "incomplete"]

INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}
"""Why an answer is incomplete, by the reason for its end."""


class ReasoningOutput(TypedDict):
    """The reasoning; send the item back in the next turn, unchanged."""

    id: str
    type: Literal["reasoning"]
    summary: list[JsonObject]
    encrypted_content: NotRequired[str]
    status: Status


class MessageOutput(TypedDict):
    """The message: parts of the types output_text and refusal, and links to images."""

    id: str
    type: Literal["message"]
    role: Literal["assistant"]
    status: Status
    content: list[JsonObject]
    images: NotRequired[list[JsonObject]]


class FunctionCallOutput(TypedDict):
    """A function call, with its arguments as JSON text."""

    id: str
    type: Literal["function_call"]
    call_id: str
    name: str
    arguments: str
    status: Status


type OutputItem = ReasoningOutput | MessageOutput | FunctionCallOutput


def output_items(stored: Stored, address: str) -> list[OutputItem]:
    """The items in their order; `address` makes links absolute."""
    message, execution_id = message_of(stored, address), stored["execution_id"]
    status: Status = "incomplete" if finish_reason(stored) in INCOMPLETE else "completed"
    return [
        *_reasoning(message, execution_id, status),
        *_message(message, execution_id, status),
        *(
            function_call(execution_id, number, call["id"], call["function"], status)
            for number, call in enumerate(message.get("tool_calls", ()))
        ),
    ]


def reasoning_item(execution_id: str, status: Status = "in_progress") -> ReasoningOutput:
    """Reasoning without content."""
    return {"id": f"rs_{execution_id}", "type": "reasoning", "summary": [], "status": status}


def message_item(execution_id: str, status: Status = "in_progress") -> MessageOutput:
    """A message without content."""
    return {"id": f"msg_{execution_id}", "type": "message", "role": "assistant", "status": status, "content": []}


def function_call(
    execution_id: str, number: int, call_id: str, function: Any, status: Status = "in_progress"
) -> FunctionCallOutput:
    """The function call at the index `number` of the answer."""
    item_id = f"fc_{execution_id}_{number}"
    name, arguments = function["name"], function["arguments"]
    return {
        "id": item_id,
        "type": "function_call",
        "call_id": call_id,
        "name": name,
        "arguments": arguments,
        "status": status,
    }


def text_part(text: str, annotations: list[JsonObject]) -> JsonObject:
    """A text of a message."""
    return {"type": "output_text", "text": text, "annotations": annotations, "logprobs": []}


def summary_part(text: str) -> JsonObject:
    """A text of a reasoning."""
    return {"type": "summary_text", "text": text}


def _reasoning(message: Message, execution_id: str, status: Status) -> Iterator[ReasoningOutput]:
    text, details = message.get("reasoning"), message.get("reasoning_details")
    if not text and not details:
        return
    item = reasoning_item(execution_id, status)
    if text:
        item["summary"] = [summary_part(text)]
    if details:
        item["encrypted_content"] = sealed(details)
    yield item


def _message(message: Message, execution_id: str, status: Status) -> Iterator[MessageOutput]:
    images = message.get("images", [])
    if message["content"] is None and not message["refusal"] and not images:
        return
    item = message_item(execution_id, status)
    if message["content"] is not None:
        annotations = [_flat(annotation) for annotation in message.get("annotations", ())]
        item["content"].append(text_part(message["content"], annotations))
    if message["refusal"]:
        item["content"].append({"type": "refusal", "refusal": message["refusal"]})
    if images:
        item["images"] = images
    yield item


def _flat(annotation: JsonObject) -> JsonObject:
    return {"type": "url_citation", **annotation["url_citation"]}
