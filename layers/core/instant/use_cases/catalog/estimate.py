"""Estimate what a call would cost on several models."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from instant.domain.catalog.index import CatalogIndex
from instant.domain.catalog.model import CatalogModel
from instant.domain.catalog.not_listed import why_not_listed
from instant.domain.catalog.pricing import (
    IMAGE_TOKENS,
    SEARCH_USD,
    MaxUsage,
    Usage,
    expected_usd,
    highest,
    price,
    searches_of,
    unreckoned,
    worst_case,
)
from instant.domain.errors import InvalidField
from instant.domain.money import to_nanousd

BYTES_PER_TOKEN = 4
"""Average number of bytes per token."""


class EstimateSort(StrEnum):
    """The sort order of estimates; unknown costs come last."""

    AS_GIVEN = "as_given"
    EXPECTED = "expected"
    WORST = "worst"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCall:
    """A call to estimate: its expected usage, and the maximum length of its prompt, in tokens."""

    usage: Usage
    max_prompt_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """The cost of the call on `model` in nano-USD; None if the catalog has no price.

    `fits` says whether the model can take the prompt and write the answer, as far as its limits are known.
    """

    model: CatalogModel
    expected_nanousd: int | None
    worst_nanousd: int | None
    fits: bool


def tokens_of(text: str) -> int:
    """The approximate number of tokens in a text."""
    return -(-len(text.encode()) // BYTES_PER_TOKEN)


def estimate_cost(
    model_ids: Sequence[str], call: PlannedCall, sort: EstimateSort, index: CatalogIndex, at: datetime
) -> list[Estimate]:
    """An estimate for each model; raises `InvalidField` for the first model that is not in the catalog."""
    estimates = [_estimate(_known(index, number, name), call, at) for number, name in enumerate(model_ids)]
    match sort:
        case EstimateSort.AS_GIVEN:
            return estimates
        case EstimateSort.EXPECTED:
            return sorted(estimates, key=lambda each: _last_if_none(each.expected_nanousd))
        case EstimateSort.WORST:
            return sorted(estimates, key=lambda each: _last_if_none(each.worst_nanousd))


def _known(index: CatalogIndex, number: int, name: str) -> CatalogModel:
    model = index.get(name)
    if model is None:
        raise InvalidField.named(f"models.{number}", why_not_listed(name))
    return model


def _estimate(model: CatalogModel, call: PlannedCall, at: datetime) -> Estimate:
    usd = expected_usd(model, call.usage, at)
    return Estimate(
        model=model,
        expected_nanousd=None if usd is None else to_nanousd(usd),
        worst_nanousd=worst_case([model], _max_usage(model, call)) if _is_priced(model, call.usage) else None,
        fits=_fits(model, call.usage),
    )


def _max_usage(model: CatalogModel, call: PlannedCall) -> MaxUsage:
    is_own, searches = model.own_searches != 0, call.usage.web_searches
    tool_usd = Decimal(0) if is_own else max(highest(model, "web_search"), SEARCH_USD) * searches
    return MaxUsage(
        prompt_tokens=call.max_prompt_tokens + call.usage.images * IMAGE_TOKENS,
        completion_tokens=call.usage.completion_tokens,
        images=call.usage.images,
        makes_images=call.usage.image_output_tokens > 0,
        own_searches=searches or 1,
        extra_usd=tool_usd,
        embeds="embeddings" in model.output_modalities,
    )


def _is_priced(model: CatalogModel, usage: Usage) -> bool:
    prices = [price(model.pricing.get(key)) for key in ("prompt", "completion")]
    return None not in prices and not unreckoned(model) and searches_of(model, usage) is not None


def _fits(model: CatalogModel, usage: Usage) -> bool:
    room = (model.context_length or 2**31) - usage.prompt_tokens
    return usage.completion_tokens <= min(model.longest_answer, room)


def _last_if_none(nanousd: int | None) -> Decimal:
    return Decimal("Infinity") if nanousd is None else Decimal(nanousd)
