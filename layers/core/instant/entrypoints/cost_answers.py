"""What is answered about costs: the shapes, and how they are made."""

from collections.abc import Sequence
from typing import Annotated, TypedDict

from pydantic import Field

from instant.domain.catalog import why_unusable
from instant.domain.money import usd_text
from instant.entrypoints.answers import Time, Usd
from instant.resource_types import why_unsupported
from instant.use_cases.compare_usage import Comparison, Share
from instant.use_cases.estimate_cost import Estimate, PlannedCall


class CostEstimate(TypedDict):
    """What a call would cost on one model, by the catalog's prices now."""

    openrouter_id: str
    expected_usd: Annotated[Usd | None, Field(description="Null where the catalog has no price for it.")]
    worst_usd: Annotated[Usd | None, Field(description="Every tier the dearest, every byte of text a token.")]
    fits: Annotated[bool, Field(description="Whether the model can take the prompt and write the answer.")]
    usable: Annotated[bool, Field(description="Whether a resource can run on it.")]


class CostEstimates(TypedDict):
    """What a call would cost, model by model."""

    prompt_tokens: Annotated[int, Field(description="As sent, or a quarter of the prompt's bytes.")]
    completion_tokens: int
    data: list[CostEstimate]


class UsageShare(TypedDict):
    """Executions that can be compared: their tokens and cost are known."""

    executions: int
    prompt_tokens: int
    completion_tokens: int
    actual_usd: Usd
    what_if_usd: Usd


class ModelShare(UsageShare):
    """Those that asked for one model."""

    model: str


class WhatIf(TypedDict):
    """What executions cost, and what they would have cost on another model."""

    model: Annotated[str, Field(description="The other model.")]
    since: Time
    compared: UsageShare
    by_model: list[ModelShare]
    not_compared: Annotated[int, Field(description="Executions whose tokens or cost are not known, or not yet.")]
    not_compared_usd: Annotated[Usd, Field(description="What those cost, as far as it is known.")]
    complete: Annotated[bool, Field(description="Whether these are all; else go on with next_cursor, and add up.")]
    next_cursor: str | None


def estimates_view(call: PlannedCall, estimates: Sequence[Estimate]) -> CostEstimates:
    """What a call would cost, model by model."""
    rows: list[CostEstimate] = [
        {
            "openrouter_id": estimate.model.openrouter_id,
            "expected_usd": usd_text(estimate.expected_nanousd),
            "worst_usd": usd_text(estimate.worst_nanousd),
            "fits": estimate.fits,
            "usable": why_unusable(estimate.model, why_unsupported) is None,
        }
        for estimate in estimates
    ]
    usage = call.usage
    return {"prompt_tokens": usage.prompt_tokens, "completion_tokens": usage.completion_tokens, "data": rows}


def comparison_view(comparison: Comparison) -> WhatIf:
    """What executions cost, and would have cost on another model; the dearest first."""
    shares = sorted(comparison.by_model.items(), key=lambda item: (-item[1].actual_nanousd, item[0]))
    by_model: list[ModelShare] = [{"model": name, **share_view(share)} for name, share in shares]
    return {
        "model": comparison.model.openrouter_id,
        "since": comparison.since,
        "compared": share_view(comparison.total),
        "by_model": by_model,
        "not_compared": comparison.uncompared,
        "not_compared_usd": usd_text(comparison.uncompared_nanousd),
        "complete": comparison.next is None,
        "next_cursor": comparison.next.encode() if comparison.next else None,
    }


def share_view(share: Share) -> UsageShare:
    """Executions that can be compared."""
    return {
        "executions": share.runs,
        "prompt_tokens": share.prompt_tokens,
        "completion_tokens": share.completion_tokens,
        "actual_usd": usd_text(share.actual_nanousd),
        "what_if_usd": usd_text(share.other_nanousd),
    }
