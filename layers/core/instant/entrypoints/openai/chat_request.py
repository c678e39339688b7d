"""Read a chat request: its fields become the inputs of a resource and overrides of its settings."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

from instant.domain.errors import InvalidField
from instant.domain.executions.prepared import Prepared
from instant.entrypoints.openai.chat_body import ChatBody
from instant.entrypoints.openai.field_names import prepared_headers, renaming_errors
from instant.entrypoints.openai.named_resource import CHAT_TYPES, resource_of
from instant.resource_types.model_settings import PASSED_ON
from instant.use_cases.executions.prepare import ExecuteRequest

_SETTINGS = tuple(name for name in PASSED_ON if name != "reasoning")
"""Fields that are settings of a resource with the same name."""


def chat_request(body: ChatBody, idempotency_key: str | None) -> ExecuteRequest:
    """The request to execute; raises `NotFound` for a model that can be no resource."""
    return ExecuteRequest(
        **resource_of(body.model),
        inputs=_inputs(body),
        overrides={name: value for name, _, value in _overrides(body)},
        idempotency_key=idempotency_key,
        compatible=True,
        resource_types=CHAT_TYPES,
    )


def headers_of(prepared: Prepared, body: ChatBody) -> dict[str, str]:
    """The headers of the response: the execution, and the fields of the request that the model does not support."""
    return prepared_headers(prepared, {name: field for name, field, _ in _overrides(body)})


def errors_in_words_of(body: ChatBody) -> AbstractContextManager[None]:
    """Errors of settings that the request has under other names get the names of its fields."""
    names = dict(_other_names(body))
    return renaming_errors(lambda name: names.get(name, name))


def _other_names(body: ChatBody) -> Iterator[tuple[str, str]]:
    if body.max_completion_tokens is not None:
        yield "overrides.max_tokens", "max_completion_tokens"
    if body.reasoning_effort is not None and not (body.reasoning and "effort" in body.reasoning):
        yield "overrides.reasoning.effort", "reasoning_effort"


def _inputs(body: ChatBody) -> dict[str, Any]:
    if body.inputs is None:
        return {"messages": [_as_answered(message) for message in body.messages]}
    if body.messages:
        raise InvalidField.named("messages", "must be empty beside inputs, which a template takes instead")
    return body.inputs


def _as_answered(message: Any) -> Any:
    """A message without what OpenAI's clients add to those that they have read: parsed contents and arguments."""
    if not isinstance(message, dict) or message.get("role") != "assistant":
        return message
    kept = {name: value for name, value in message.items() if name != "parsed"}
    if isinstance(calls := kept.get("tool_calls"), list):
        kept["tool_calls"] = [_as_called(call) for call in calls]
    return kept


def _as_called(call: Any) -> Any:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict):
        return call
    return {**call, "function": {name: value for name, value in function.items() if name != "parsed_arguments"}}


def _overrides(body: ChatBody) -> Iterator[tuple[str, str, Any]]:
    """Each setting that the request overrides: its name, the field that it was read from, and its value."""
    for name in _SETTINGS:
        if (value := getattr(body, name)) not in (None, []):
            yield name, name, value
    length = "max_tokens" if body.max_completion_tokens is None else "max_completion_tokens"
    if (value := getattr(body, length)) is not None:
        yield "max_tokens", length, value
    if body.reasoning is not None:
        yield "reasoning", "reasoning", {"effort": body.reasoning_effort, **body.reasoning}
    elif body.reasoning_effort is not None:
        yield "reasoning", "reasoning_effort", {"effort": body.reasoning_effort}
