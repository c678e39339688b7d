"""The cost of a call with known usage at catalog prices."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, localcontext

from instant.domain.catalog.pricing.tiers import Priced, prices_at
from instant.domain.executions.token_usage import Usage

SEARCH_USD = Decimal("0.007")
"""OpenRouter's price of a web search with its own engine, in USD; some models have their own price."""

EXACT = 60
"""Arithmetic precision in digits: products of catalog prices are never rounded."""

_NOTHING = Decimal(0)

_PROMPT_PARTS = {
    "cached_tokens": "input_cache_read",
    "cache_write_tokens": "input_cache_write",
    "audio_tokens": "audio",
}
"""Parts of a prompt that can have their own price; the default is the prompt price."""


def expected_usd(model: Priced, usage: Usage, at: datetime) -> Decimal | None:
    """The exact cost in USD; None where the catalog has no price: routers, and media whose tokens have no price."""
    prices = prices_at(model, usage.prompt_tokens, at)
    if not {"prompt", "completion"} <= prices.keys() or _makes_priceless_media(usage, prices):
        return None
    with localcontext(prec=EXACT):
        return (
            _prompt(usage, prices)
            + _completion(usage, prices)
            + prices.get("request", _NOTHING)
            + prices.get("image", _NOTHING) * usage.images
            + (prices.get("web_search") or SEARCH_USD) * usage.web_searches
        )


def _makes_priceless_media(usage: Usage, prices: Mapping[str, Decimal]) -> bool:
    """Media cost many times as much as text, so the text price would be wrong."""
    silent_image = usage.image_output_tokens and not prices.get("image_output")
    return bool(silent_image or (usage.audio_output_tokens and not prices.get("audio_output")))


def _prompt(usage: Usage, prices: Mapping[str, Decimal]) -> Decimal:
    parts: dict[str, int] = {key: getattr(usage, name) for name, key in _PROMPT_PARTS.items()}
    plain = max(usage.prompt_tokens - sum(parts.values()), 0)  # the service's own counters may disagree
    return prices["prompt"] * plain + sum((_or(prices, key, "prompt") * n for key, n in parts.items()), _NOTHING)


def _completion(usage: Usage, prices: Mapping[str, Decimal]) -> Decimal:
    thoughts, images, sounds = usage.reasoning_tokens, usage.image_output_tokens, usage.audio_output_tokens
    plain = max(usage.completion_tokens - thoughts - images - sounds, 0)
    return (
        prices["completion"] * plain
        + _or(prices, "internal_reasoning", "completion") * thoughts
        + prices.get("image_output", _NOTHING) * images
        + prices.get("audio_output", _NOTHING) * sounds
    )


def _or(prices: Mapping[str, Decimal], key: str, otherwise: str) -> Decimal:
    """The price under `key`, else the price under `otherwise`; the catalog also uses 0 for "no value"."""
    return prices.get(key) or prices[otherwise]
