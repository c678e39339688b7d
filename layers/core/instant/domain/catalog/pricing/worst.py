"""The worst-case cost of a call at catalog prices, and the price limits that enforce it."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal, localcontext

from instant.domain.catalog.model import CatalogModel
from instant.domain.catalog.pricing.expected import EXACT
from instant.domain.catalog.pricing.tiers import highest
from instant.domain.money import NANO, to_nanousd

HIDDEN_PROMPT_TOKENS = 256
"""Tokens that chat templates can add around messages."""

IMAGE_TOKEN_FACTOR = 20
"""Maximum price ratio of image tokens to text tokens where the catalog has no image price: 12 and 20 were seen."""

IMAGE_TOKENS = 50_000
"""Maximum tokens of one input image; gpt-4o-mini counts up to 48,169."""

_MILLION = Decimal(10) ** 6

_PROMPT = ("prompt", "input_cache_write", "input_cache_read", "audio")
_COMPLETION = ("completion", "internal_reasoning", "image_output", "audio_output")
"""The price keys that can apply to a prompt token or to an answer token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MaxUsage:
    """The maximum usage of a call.

    `rounds` is the maximum number of model runs over the prompt. `reads_whole_context`: the prompt's length is not
    known, so the model's context length is used. `extra_usd` is a cost that is independent of the model.
    """

    prompt_tokens: int
    completion_tokens: int
    rounds: int = 1
    images: int = 0
    makes_images: bool = False
    reads_whole_context: bool = False
    extra_usd: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prices:
    """The highest price of each kind among several models, in USD per token, request or image."""

    prompt: Decimal
    completion: Decimal
    image_completion: Decimal
    request: Decimal
    image: Decimal


def worst_case(models: Sequence[CatalogModel], max_usage: MaxUsage) -> int:
    """The maximum cost of one call in nano-USD, whichever of `models` serves it.

    Assumes one token per byte, the maximum answer length, and the most expensive tier and model.
    """
    with localcontext(prec=EXACT):
        return to_nanousd(_variable(models, max_usage) + max_usage.extra_usd)


def price_limits(models: Sequence[CatalogModel], max_usage: MaxUsage, *, cap_nanousd: int) -> dict[str, str]:
    """The highest provider prices at which the worst case is within the cap, in the form of OpenRouter's `max_price`.

    The catalog shows one provider's price, and others charge up to 14 times as much. So the cap is only enforced if
    the request excludes the more expensive ones. A price of zero stays a limit of zero. Units: USD per million tokens
    for prompt and completion, USD per request and per image.
    """
    with localcontext(prec=EXACT):
        prices, variable = _dearest(models), _variable(models, max_usage)
        slack = (Decimal(cap_nanousd) / NANO - max_usage.extra_usd) / variable if variable else Decimal(1)
        limits = {
            "prompt": prices.prompt * _MILLION,
            "completion": prices.completion * _MILLION,
            "request": prices.request,
            **({"image": prices.image} if max_usage.images else {}),
        }
        return {name: _limit(price * max(slack, Decimal(0))) for name, price in limits.items()}


def _variable(models: Sequence[CatalogModel], max_usage: MaxUsage) -> Decimal:
    """The part of the cost that depends on prices; `price_limits` scales exactly this part."""
    prices = _dearest(models)
    tokens = max(_prompt_tokens(model, max_usage) for model in models)
    length = max(max_usage.completion_tokens if model.caps_output else model.longest_answer for model in models)
    completion = prices.image_completion if max_usage.makes_images else prices.completion
    one_round = prices.prompt * tokens + completion * length + prices.request
    return one_round * max_usage.rounds + prices.image * max_usage.images


def _prompt_tokens(model: CatalogModel, max_usage: MaxUsage) -> int:
    tokens = max_usage.prompt_tokens + HIDDEN_PROMPT_TOKENS
    if model.context_length is None:
        return tokens
    return model.context_length if max_usage.reads_whole_context else min(tokens, model.context_length)


def _dearest(models: Sequence[CatalogModel]) -> _Prices:
    return _Prices(
        prompt=max(highest(model, *_PROMPT) for model in models),
        completion=max(_completion(model) for model in models),
        image_completion=max(_image_completion(model) for model in models),
        request=max(highest(model, "request") for model in models),
        image=max(highest(model, "image") for model in models),
    )


def _completion(model: CatalogModel) -> Decimal:
    return highest(model, *_COMPLETION)


def _image_completion(model: CatalogModel) -> Decimal:
    """Image models list their text price and often not their image price, which is many times as high."""
    return _completion(model) * (1 if highest(model, "image_output") else IMAGE_TOKEN_FACTOR)


def _limit(price: Decimal) -> str:
    return f"{price.quantize(Decimal('1e-9'), rounding=ROUND_FLOOR).normalize():f}"
