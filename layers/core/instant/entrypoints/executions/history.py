"""Response bodies of executions."""

from typing import Annotated, Any, TypedDict

from pydantic import Field

from instant.domain.error_bodies.stored import complete_error
from instant.domain.executions.execution import Execution, KeySource, State
from instant.domain.executions.output import Output
from instant.domain.money import usd_text
from instant.entrypoints.executions.execute import TokenUsage
from instant.entrypoints.http.fields import JsonObject, Time


class ExecutionSummary(TypedDict):
    """An execution in a list."""

    execution_id: str
    resource_id: str
    resource_revision: int
    status: State
    model: str | None
    model_served: str | None
    provider: str | None
    generation_id: str | None
    key_source: Annotated[KeySource | None, Field(description="Whose key paid; null where the type needs no key.")]
    api_key_id: str | None
    usage: TokenUsage
    latency_ms: int | None
    finish_reason: str | None
    error_code: str | None
    created_at: Time
    finished_at: Time | None
    reconciled_at: Time | None


class ExecutionDetail(ExecutionSummary):
    """An execution with its response: an output, an error, or neither yet."""

    cancel_requested_at: Annotated[Time | None, Field(description="When its caller asked for it to be stopped.")]
    output: Output | None
    error: JsonObject | None


def execution_view(execution: Execution) -> ExecutionSummary:
    """An execution in a list."""
    receipt = execution.receipt
    return {
        "execution_id": execution.execution_id,
        "resource_id": execution.resource_id,
        "resource_revision": execution.resource_revision,
        "status": execution.state,
        "model": execution.model,
        "model_served": receipt.model,
        "provider": receipt.provider,
        "generation_id": receipt.generation_id,
        "key_source": KeySource(execution.key_source) if execution.key_source else None,
        "api_key_id": execution.api_key_id,
        "usage": {
            "prompt_tokens": receipt.prompt_tokens,
            "completion_tokens": receipt.completion_tokens,
            "cost_usd": usd_text(receipt.cost_nanousd),
        },
        "latency_ms": execution.latency_ms,
        "finish_reason": receipt.finish_reason,
        "error_code": execution.error_code,
        "created_at": execution.created_at,
        "finished_at": execution.finished_at,
        "reconciled_at": execution.reconciled_at,
    }


def execution_detail(execution: Execution, answer: dict[str, Any] | None) -> dict[str, Any]:
    """An execution with its response; the parts of its usage are stored with the response."""
    answer, view = answer or {}, execution_view(execution)
    usage = {**(answer.get("usage") or {}), **view["usage"]}
    error = complete_error(answer["error"]) if "error" in answer else None
    asked = {"cancel_requested_at": execution.cancel_requested_at}
    return {**view, **asked, "usage": usage, "output": answer.get("output"), "error": error}
