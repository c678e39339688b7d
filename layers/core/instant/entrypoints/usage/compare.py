"""Response bodies of cost comparisons."""

from typing import Annotated, TypedDict

from pydantic import Field

from instant.domain.money import usd_text
from instant.entrypoints.http.fields import Time, Usd
from instant.use_cases.usage.compare import Comparison, Share


class UsageShare(TypedDict):
    """Executions that can be compared: their tokens and cost are known."""

    executions: int
    prompt_tokens: int
    completion_tokens: int
    actual_usd: Usd
    what_if_usd: Usd


class ModelShare(UsageShare):
    """The executions of one model."""

    model: str


class WhatIf(TypedDict):
    """The cost of executions, and their cost on another model."""

    model: Annotated[str, Field(description="The other model.")]
    since: Time
    compared: UsageShare
    by_model: list[ModelShare]
    not_compared: Annotated[int, Field(description="Executions whose tokens or cost are not known, or not yet.")]
    not_compared_usd: Annotated[Usd, Field(description="The known cost of those.")]
    complete: Annotated[
        bool, Field(description="Whether these are all; otherwise continue with next_cursor and add the results.")
    ]
    next_cursor: str | None


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
