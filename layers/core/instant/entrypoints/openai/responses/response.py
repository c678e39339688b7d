"""A stored response as OpenAI's Response object: output items, status, usage, and the request's own fields."""

from dataclasses import dataclass
from typing import Any, Literal, TypedDict

from instant.domain.json_values import json_text
from instant.entrypoints.http.fields import JsonObject
from instant.entrypoints.openai.completion import Stored, costed_text, finish_reason
from instant.entrypoints.openai.responses.body import ResponsesBody
from instant.entrypoints.openai.responses.output import INCOMPLETE, OutputItem, output_items

_ECHOED = ("instructions", "max_output_tokens", "temperature", "top_p", "user", "safety_identifier", "prompt_cache_key")
"""Fields of the request that the response repeats as they are."""


class ResponseUsage(TypedDict):
    """The usage; `cost` is in US dollars, null if the provider did not report it. Unreported details are 0."""

    input_tokens: int
    input_tokens_details: dict[str, int]
    output_tokens: int
    output_tokens_details: dict[str, int]
    total_tokens: int
    cost: float | None


class ResponseObject(TypedDict):
    """A response; `id` is that of the execution, `model` as it was asked for."""

    id: str
    object: Literal["response"]
    created_at: int
    status: Literal["in_progress", "completed", "incomplete"]
    error: None
    incomplete_details: dict[str, str] | None
    model: str
    provider: str | None
    output: list[OutputItem]
    instructions: str | None
    max_output_tokens: int | None
    temperature: float | None
    top_p: float | None
    parallel_tool_calls: bool
    tool_choice: Any
    tools: list[JsonObject]
    text: JsonObject
    reasoning: JsonObject | None
    metadata: Any
    user: Any
    safety_identifier: Any
    prompt_cache_key: Any
    previous_response_id: None
    background: Literal[False]
    store: Literal[False]
    truncation: Literal["disabled"]
    usage: ResponseUsage | None


@dataclass(frozen=True, slots=True)
class ResponseWriter:
    """Writes the response to one request; `address` makes links absolute."""

    body: ResponsesBody
    created: int
    address: str

    def begun(self, execution_id: str) -> str:
        """The JSON of the response when it has begun."""
        return self._text({"id": execution_id, "status": "in_progress", "output": []}, "null")

    def text(self, stored: Stored) -> str:
        """The JSON of the response."""
        reason = INCOMPLETE.get(finish_reason(stored))
        answer = {
            "id": stored["execution_id"],
            "status": "incomplete" if reason else "completed",
            "incomplete_details": {"reason": reason} if reason else None,
            "provider": stored["provider"],
            "output": output_items(stored, self.address),
        }
        return self._text(answer, _usage_text(stored))

    def _text(self, answer: JsonObject, usage: str) -> str:
        facts = {"object": "response", "created_at": self.created, "model": self.body.model, "error": None}
        nothing_yet = {"incomplete_details": None, "provider": None}
        return f'{json_text({**facts, **nothing_yet, **answer, **_request_fields(self.body)})[:-1]},"usage":{usage}}}'


def _request_fields(body: ResponsesBody) -> JsonObject:
    text = body.text.model_dump(exclude_none=True) if body.text else {}
    return {
        **{name: getattr(body, name) for name in _ECHOED},
        "parallel_tool_calls": body.parallel_tool_calls is not False,
        "tool_choice": "auto" if body.tool_choice is None else body.tool_choice,
        "tools": body.tools or [],
        "text": {"format": {"type": "text"}, **text},
        "reasoning": body.reasoning,
        "metadata": {} if body.metadata is None else body.metadata,
        "previous_response_id": None,
        "background": False,
        "store": False,
        "truncation": "disabled",
    }


def _usage_text(stored: Stored) -> str:
    usage = stored["usage"]
    given, answered = usage["prompt_tokens"], usage["completion_tokens"]
    if given is None and answered is None:
        return "null"
    counts = {
        "input_tokens": given or 0,
        "input_tokens_details": {"cached_tokens": usage.get("cached_tokens") or 0, "cache_write_tokens": 0},
        "output_tokens": answered or 0,
        "output_tokens_details": {"reasoning_tokens": usage.get("reasoning_tokens") or 0},
        "total_tokens": (given or 0) + (answered or 0),
    }
    return costed_text(counts, stored)
