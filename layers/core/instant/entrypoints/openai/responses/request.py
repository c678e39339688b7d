"""Read a request for a response: its fields become the inputs of a resource and overrides of its settings."""

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from instant.domain.errors import InvalidField
from instant.domain.executions.prepared import Prepared
from instant.entrypoints.openai.field_names import prepared_headers, renaming_errors
from instant.entrypoints.openai.named_resource import CHAT_TYPES, resource_of
from instant.entrypoints.openai.responses.body import ResponsesBody
from instant.entrypoints.openai.responses.items import Message, messages_of
from instant.entrypoints.openai.responses.tools import sent_choice, sent_format, sent_tool
from instant.use_cases.executions.prepare import ExecuteRequest

_FIELDS = {"max_tokens": "max_output_tokens", "verbosity": "text.verbosity", "response_format": "text.format"}
"""The fields of settings that have other names."""

_NESTED = (
    (re.compile(r"overrides\.max_tokens\b"), "max_output_tokens"),
    (re.compile(r"overrides\.verbosity\b"), "text.verbosity"),
    (re.compile(r"overrides\.response_format(\.json_schema)?\b"), "text.format"),
    (re.compile(r"overrides\.(tools\.\d+|tool_choice)\.function\b"), r"\1"),
)
"""The paths of settings that have other names, or other nesting."""

_WITHIN_ITEMS = ((".tool_call_id", ".call_id"), (".image_url.url", ".image_url"), (".file.file_", ".file_"))
"""Paths below a message, and below the item that it was read from."""

_MESSAGE = re.compile(r"inputs\.messages\.(\d+)")


@dataclass(frozen=True, slots=True)
class ResponsesRequest:
    """A request: what is executed, and how its messages and settings are called in the body."""

    execute: ExecuteRequest
    places: tuple[str, ...]

    def headers_of(self, prepared: Prepared) -> dict[str, str]:
        """The headers of the response: the execution, and the fields that the model does not support."""
        return prepared_headers(prepared, _FIELDS)

    def naming_errors(self) -> AbstractContextManager[None]:
        """Errors of messages and settings get the names of the fields of the body."""
        return renaming_errors(self._renamed)

    def _renamed(self, name: str) -> str:
        for pattern, own in _NESTED:
            if found := pattern.match(name):
                return found.expand(own) + name[found.end() :]
        if found := _MESSAGE.match(name):
            return self.places[int(found[1])] + _own(name[found.end() :])
        return "input" if name == "inputs.messages" else name


def responses_request(body: ResponsesBody, idempotency_key: str | None) -> ResponsesRequest:
    """The request to execute; raises `NotFound` for a model that can be no resource."""
    messages = [*_messages(body)]
    request = ExecuteRequest(
        **resource_of(body.model),
        inputs=_inputs(body, messages),
        overrides=dict(_overrides(body)),
        idempotency_key=idempotency_key,
        compatible=True,
        resource_types=CHAT_TYPES,
    )
    return ResponsesRequest(request, tuple(message.where for message in messages))


def _own(path: str) -> str:
    for theirs, own in _WITHIN_ITEMS:
        path = path.replace(theirs, own)
    return path


def _inputs(body: ResponsesBody, messages: list[Message]) -> dict[str, Any]:
    if body.inputs is None:
        return {"messages": [message.sent for message in messages]}
    if messages:
        raise InvalidField.named(messages[0].where, "must be absent beside inputs, which a template takes instead")
    return body.inputs


def _messages(body: ResponsesBody) -> Iterator[Message]:
    if body.instructions:
        yield Message({"role": "system", "content": body.instructions}, "instructions")
    if isinstance(body.input, str):
        yield Message({"role": "user", "content": body.input}, "input")
    elif isinstance(body.input, list):
        yield from messages_of(body.input, "input")
    elif body.input is not None:
        raise InvalidField.named("input", "must be text or a list of items")
    elif body.inputs is None:
        raise InvalidField.named("input", "is required")


def _overrides(body: ResponsesBody) -> Iterator[tuple[str, Any]]:
    """Each setting that the request overrides, and its value."""
    given = {
        "max_tokens": body.max_output_tokens,
        "temperature": body.temperature,
        "top_p": body.top_p,
        "parallel_tool_calls": body.parallel_tool_calls,
        "verbosity": body.text and body.text.verbosity,
        "response_format": body.text and sent_format(body.text.format),
        "reasoning": body.reasoning,
        "tools": [sent_tool(tool, f"tools.{number}") for number, tool in enumerate(body.tools or ())] or None,
        "tool_choice": sent_choice(body.tool_choice, "tool_choice"),
    }
    return ((name, value) for name, value in given.items() if value is not None)
