"""A model's prices: base prices, and overrides for long prompts and for certain hours."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from instant.domain.catalog.pricing.price_keys import PRICE_KEYS
from instant.domain.money import parse_usd

_CONDITIONS = ("min_prompt_tokens", "utc_start", "utc_end")
_LONG, _FROM, _TO = _CONDITIONS
_CONDITION_STARTS = ("min_", "max_", "utc_")


class Priced(Protocol):
    """An object with catalog prices: USD per unit as decimal text, and conditional overrides."""

    @property
    def pricing(self) -> Mapping[str, str]:
        """The base prices by key."""

    @property
    def price_overrides(self) -> Sequence[Mapping[str, Any]]:
        """Conditional prices: condition keys beside price keys."""

    @property
    def own_searches(self) -> int | None:
        """The searches that the model makes by itself in each call; None if their number has no limit."""


def prices_at(model: Priced, prompt_tokens: int, at: datetime) -> Mapping[str, Decimal]:
    """USD per unit by price key, for a prompt of this length at this time; keys without a readable price are omitted.

    As the service documents: an override applies if all its conditions hold, later overrides take precedence, and keys
    that it omits keep their price. An override with an unknown condition does not apply.
    """
    tiers = [model.pricing, *(tier for tier in model.price_overrides if _applies(tier, prompt_tokens, at))]
    found = {key: price(value) for tier in tiers for key, value in tier.items() if key in PRICE_KEYS}
    return {key: usd for key, usd in found.items() if usd is not None}


def price(value: object) -> Decimal | None:
    """A price in USD; None if it is unreadable or negative (the variable price of a router)."""
    usd = parse_usd(value)
    return usd if usd is not None and usd >= 0 else None


def has_price(model: Priced) -> bool:
    """Whether input and output tokens have a price above 0; without one, no reservation can be computed."""
    return all(price(model.pricing.get(key)) for key in ("prompt", "completion"))


def unreckoned(model: Priced) -> tuple[str, ...]:
    """The price keys whose price enters no cost: unknown ones other than 0, and known ones that are no amount.

    In an override, a price is text or a number. A condition is a number too, or text in a prepared execution that was
    stored; unknown ones are known by the start of their name.
    """
    base = [key for key, value in model.pricing.items() if _is_unreckoned(key, value)]
    overrides = [
        key
        for tier in model.price_overrides
        for key, value in tier.items()
        if value is not None and not _is_condition(key, value) and _is_unreckoned(key, value)
    ]
    return tuple(dict.fromkeys([*base, *overrides]))


def _is_condition(key: str, value: object) -> bool:
    return key in _CONDITIONS or (not isinstance(value, str) and key.startswith(_CONDITION_STARTS))


def _is_unreckoned(key: str, value: object) -> bool:
    usd = parse_usd(value)
    return usd is None if key in PRICE_KEYS else usd is not None and usd != 0


def highest(model: Priced, *keys: str) -> Decimal:
    """The highest price of any of `keys` in any tier; an unreadable price counts as 0."""
    return max((usd for tier in _tiers(model) for key in keys if (usd := price(tier.get(key)))), default=Decimal(0))


def _tiers(model: Priced) -> Iterator[Mapping[str, object]]:
    yield model.pricing
    yield from model.price_overrides


def _applies(tier: Mapping[str, object], prompt_tokens: int, at: datetime) -> bool:
    conditions = tier.keys() - PRICE_KEYS.keys()
    if not conditions <= {*_CONDITIONS}:
        return False
    threshold = parse_usd(tier.get(_LONG, 0))
    if threshold is None or (_LONG in tier and prompt_tokens <= threshold):
        return False
    return conditions.isdisjoint({_FROM, _TO}) or _is_within(tier, at.hour * 100 + at.minute)


def _is_within(tier: Mapping[str, object], clock: int) -> bool:
    """Whether `clock`, as HHMM, is in the half-open window, which can extend past midnight."""
    start, end = parse_usd(tier.get(_FROM)), parse_usd(tier.get(_TO))
    if start is None or end is None:
        return False
    return start <= clock < end if start <= end else clock >= start or clock < end
