"""The cost of a call with known usage at catalog prices."""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal, localcontext
from operator import attrgetter

from instant.domain.catalog.pricing.price_keys import PRICE_KEYS, parts_of
from instant.domain.catalog.pricing.tiers import Priced, prices_at, unreckoned
from instant.domain.executions.token_usage import Usage

SEARCH_USD = Decimal("0.007")
"""OpenRouter's price of a web search with its own engine, in USD; some models have their own price."""

OCR_PAGE_USD = Decimal("0.002")
"""OpenRouter's price of a page of a file that is read by optical character recognition, in USD."""

EXACT = 60
"""Arithmetic precision in digits: products of catalog prices are never rounded."""

_NOTHING = Decimal(0)

_UNITS: Mapping[str, Callable[[Usage], int]] = {
    name: attrgetter(key.counter) for name, key in PRICE_KEYS.items() if key.counter
}


def expected_usd(model: Priced, usage: Usage, at: datetime) -> Decimal | None:
    """The exact cost in USD; None where it cannot be computed.

    The catalog has no price for routers and for some media; the searches of deep-research models are not counted.
    """
    prices, searches = prices_at(model, usage.prompt_tokens, at), searches_of(model, usage)
    if not {"prompt", "completion"} <= prices.keys() or searches is None or unreckoned(model):
        return None
    if _makes_priceless_media(usage, prices):
        return None
    with localcontext(prec=EXACT):
        return (
            _tokens("prompt", usage, prices)
            + _tokens("completion", usage, prices)
            + _cost("request", usage, prices)
            + _cost("image", usage, prices)
            + (prices.get("web_search") or SEARCH_USD) * searches
        )


def searches_of(model: Priced, usage: Usage) -> int | None:
    """The searches of the call: those reported, or else those that the model makes by itself (None: unknown)."""
    return usage.web_searches or model.own_searches


def _makes_priceless_media(usage: Usage, prices: Mapping[str, Decimal]) -> bool:
    """Media cost many times as much as text, so the text price would be wrong."""
    return any(
        key.is_media and _UNITS[name](usage) and not prices.get(name) for name, key in parts_of("completion").items()
    )


def _tokens(name: str, usage: Usage, prices: Mapping[str, Decimal]) -> Decimal:
    """The cost of all tokens of the prompt or the answer; a part without its own price has that of the text.

    The catalog also uses 0 for "no value".
    """
    parts = [part for part in parts_of(name) if part in _UNITS]
    plain = max(_UNITS[name](usage) - sum(_UNITS[part](usage) for part in parts), 0)  # the counters may disagree
    return prices[name] * plain + sum(
        ((prices.get(part) or prices[name]) * _UNITS[part](usage) for part in parts), _NOTHING
    )


def _cost(name: str, usage: Usage, prices: Mapping[str, Decimal]) -> Decimal:
    return prices.get(name, _NOTHING) * _UNITS[name](usage)
