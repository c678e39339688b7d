"""The worst-case cost of a call at catalog prices, and the price limits that enforce it."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal, localcontext

from instant.domain.catalog.model import CatalogModel
from instant.domain.catalog.pricing.expected import EXACT
from instant.domain.catalog.pricing.price_keys import Unit, keys_of
from instant.domain.catalog.pricing.tiers import highest
from instant.domain.money import NANO, to_nanousd

HIDDEN_PROMPT_TOKENS = 256
"""Tokens that chat templates can add around messages."""

IMAGE_TOKEN_FACTOR = 20
"""Maximum price ratio of image tokens to text tokens where the catalog has no image price: 12 and 20 were seen."""

IMAGE_TOKENS = 50_000
"""Maximum tokens of one input image; gpt-4o-mini counts up to 48,169."""

_MILLION = Decimal(10) ** 6

_IMAGE_TOKEN = keys_of(Unit.IMAGE_TOKEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class MaxUsage:
    """The maximum usage of a call.

    `rounds` is the maximum number of model runs over the prompt. `reads_whole_context`: the prompt's length is not
    known, so the model's context length is used. `own_searches` is the maximum number of searches of a model that
    searches by itself. `extra_usd` is a cost that is independent of the model. `embeds`: texts are embedded, so that
    the context length limits each of them, not their sum, and no answer is written.
    """

    prompt_tokens: int
    completion_tokens: int
    rounds: int = 1
    images: int = 0
    makes_images: bool = False
    reads_whole_context: bool = False
    own_searches: int = 1
    extra_usd: Decimal = Decimal(0)
    embeds: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prices:
    """The highest price of each unit among several models, in USD.

    `own_search` is the price of a search among the models that search by themselves.
    """

    prompt: Decimal
    completion: Decimal
    own_search: Decimal
    request: Decimal
    image: Decimal


def worst_case(models: Sequence[CatalogModel], max_usage: MaxUsage) -> int:
    """The maximum cost of one call in nano-USD, whichever of `models` serves it.

    Assumes one token per byte, the maximum answer length, and the most expensive tier and model.
    """
    with localcontext(prec=EXACT):
        return to_nanousd(_variable(models, max_usage) + _fixed(models, max_usage))


def price_limits(models: Sequence[CatalogModel], max_usage: MaxUsage, *, cap_nanousd: int) -> dict[str, str]:
    """The highest provider prices at which the worst case is within the cap, in the form of OpenRouter's `max_price`.

    The catalog shows one provider's price, and others charge up to 14 times as much. So the cap is only enforced if
    the request excludes the more expensive ones. A price of zero stays a limit of zero. Units: USD per million tokens
    for prompt and completion, USD per request and per image.
    """
    with localcontext(prec=EXACT):
        prices, variable = _dearest(models, max_usage), _variable(models, max_usage)
        slack = (Decimal(cap_nanousd) / NANO - _fixed(models, max_usage)) / variable if variable else Decimal(1)
        limits = {
            "prompt": prices.prompt * _MILLION,
            "completion": prices.completion * _MILLION,
            "request": prices.request,
            **({"image": prices.image} if max_usage.images else {}),
        }
        return {name: _limit(price * max(slack, Decimal(0))) for name, price in limits.items()}


def _variable(models: Sequence[CatalogModel], max_usage: MaxUsage) -> Decimal:
    """The part of the cost that depends on prices; `price_limits` scales exactly this part."""
    prices = _dearest(models, max_usage)
    tokens = max(_prompt_tokens(model, max_usage) for model in models)
    length = max(_answer_tokens(model, max_usage) for model in models)
    one_round = prices.prompt * tokens + prices.completion * length + prices.request
    return one_round * max_usage.rounds + prices.image * max_usage.images


def _fixed(models: Sequence[CatalogModel], max_usage: MaxUsage) -> Decimal:
    """The part of the cost that no price limit can bound."""
    return max_usage.extra_usd + _dearest(models, max_usage).own_search * max_usage.own_searches


def _prompt_tokens(model: CatalogModel, max_usage: MaxUsage) -> int:
    tokens = max_usage.prompt_tokens + HIDDEN_PROMPT_TOKENS
    if model.context_length is None or max_usage.embeds:
        return tokens
    return model.context_length if max_usage.reads_whole_context else min(tokens, model.context_length)


def _answer_tokens(model: CatalogModel, max_usage: MaxUsage) -> int:
    return max_usage.completion_tokens if model.caps_output or max_usage.embeds else model.longest_answer


def _dearest(models: Sequence[CatalogModel], max_usage: MaxUsage) -> _Prices:
    prompt = (*keys_of(Unit.PROMPT_TOKEN), *(_IMAGE_TOKEN if max_usage.images else ()))
    return _Prices(
        prompt=max(highest(model, *prompt) for model in models),
        completion=max(_completion(model, max_usage) for model in models),
        own_search=max(_own_search(model) for model in models),
        request=max(highest(model, *keys_of(Unit.REQUEST)) for model in models),
        image=max(highest(model, *keys_of(Unit.IMAGE)) for model in models),
    )


def _completion(model: CatalogModel, max_usage: MaxUsage) -> Decimal:
    """Image models list their text price and often not their image price, which is many times as high."""
    text = highest(model, *keys_of(Unit.ANSWER_TOKEN))
    if not max_usage.makes_images:
        return text
    factor = 1 if highest(model, "image_output") else IMAGE_TOKEN_FACTOR
    return max(text * factor, highest(model, *_IMAGE_TOKEN))


def _own_search(model: CatalogModel) -> Decimal:
    return Decimal(0) if model.own_searches == 0 else highest(model, *keys_of(Unit.OWN_SEARCH))


def _limit(price: Decimal) -> str:
    return f"{price.quantize(Decimal('1e-9'), rounding=ROUND_FLOOR).normalize():f}"
