"""Holds an implausible price for a time before it is accepted, since the maximum cost of calls depends on it.

In a month of real changes, every price that fell to zero, and a router's "-1" on a model that is not a router, was
reverted after six hours; one fifteenfold increase was permanent. So a price is held if it falls to zero or below, or
rises more than tenfold. It is accepted when it is announced two days after the first implausible price of its key,
whatever was announced in between: some prices go by the hour. Only the key is held, not the model. A negative price is
never accepted: it means "it varies". A hold is safe in both directions, since the previous price is also sent as the
price limit of a call.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from instant.domain.catalog.model import CatalogModel
from instant.domain.catalog.pricing import PRICE_KEYS
from instant.domain.clock import format_time, parse_time
from instant.domain.money import parse_usd

MAX_PRICE_FACTOR = 10
"""A price that rises by more than this factor is held."""

HOLD = timedelta(hours=48)
"""How long after the first implausible price of a key such a price is accepted."""

MEMORY = timedelta(days=7)
"""How long after the last change of a price its first implausible price is remembered."""

_SINCE, _SEEN = "since", "seen"

type Tier = Mapping[str, Any]
type Doubts = Mapping[str, Mapping[str, str]]
"""By price key: the time of the first implausible price, and the time at which the price last changed."""


def settled(old: CatalogModel | None, announced: CatalogModel, now: datetime, *, accept: bool) -> CatalogModel:
    """The announced model, with its old price for each key that is held; `accept` accepts all prices."""
    if old is None or accept:
        return announced
    implausible = {
        key: values[0]
        for key in old.pricing.keys() & announced.pricing.keys()
        if (values := _strange(old, announced, key))
    }
    doubts = _doubts(old, announced, implausible, now)
    held = {key: value for key, value in implausible.items() if not _is_over(key, doubts, announced, now)}
    if not held:
        return replace(announced, price_doubts=doubts)
    return replace(
        announced,
        pricing={**announced.pricing, **{key: old.pricing[key] for key in held}},
        price_overrides=tuple(_overrides(old, announced, held)),
        price_held=held,
        price_held_since=min(doubts[key][_SINCE] for key in held),
        price_doubts=doubts,
    )


def is_unusual(old: CatalogModel, new: CatalogModel) -> bool:
    """Whether a price above zero falls to zero or below, becomes unreadable, or rises more than tenfold.

    Overrides are included: the lowest and the highest price of each key are compared. A discount of another price is
    unusual only above that other price.
    """
    return any(_strange(old, new, key) for key in old.pricing.keys() & new.pricing.keys())


def waits(model: CatalogModel) -> bool:
    """Whether a price of the model is held that will be accepted by the passage of time."""
    return any((usd := parse_usd(value)) is not None and usd >= 0 for value in model.price_held.values())


def _strange(old: CatalogModel, new: CatalogModel, key: str) -> Sequence[str]:
    """The implausible prices of a key, as announced; the base price first."""
    known = [usd for usd in _amounts(old, key) if usd is not None]
    if not known or max(known) <= 0:
        return ()
    line = PRICE_KEYS.get(key)
    limit = _highest(old, new, line.discount_of) if line and line.discount_of else None
    return [
        str(value)
        for value, usd in zip(_values(new, key), _amounts(new, key), strict=True)
        if _is_implausible(usd, min(known), max(known), limit)
    ]


def _is_implausible(usd: Decimal | None, lowest: Decimal, highest: Decimal, limit: Decimal | None) -> bool:
    """Whether a price cannot follow prices between `lowest` and `highest`; `limit` is the price it is a discount of."""
    if usd is None or usd < 0:
        return True
    rises = usd > highest * MAX_PRICE_FACTOR
    return rises and usd > limit if limit is not None else rises or (usd == 0 and lowest > 0)


def _highest(old: CatalogModel, new: CatalogModel, key: str) -> Decimal | None:
    """The highest price of `key` that is or will be believed; None without one."""
    believed = old if _strange(old, new, key) else new
    return max((usd for usd in _amounts(believed, key) if usd is not None), default=None)


def _doubts(old: CatalogModel, new: CatalogModel, implausible: Mapping[str, str], now: datetime) -> Doubts:
    """What is remembered of each key with an implausible price, now or earlier."""
    found: dict[str, Mapping[str, str]] = {}
    for key in {*implausible, *old.price_doubts}:
        changed = implausible.get(key, new.pricing.get(key)) != old.price_held.get(key, old.pricing.get(key))
        past = _past(old, key)
        if past and (key in old.price_held or now - parse_time(past[_SEEN]) < MEMORY):
            found[key] = {**past, _SEEN: format_time(now)} if changed else past
        elif key in implausible:
            found[key] = {_SINCE: format_time(now), _SEEN: format_time(now)}
    return found


def _past(old: CatalogModel, key: str) -> Mapping[str, str] | None:
    """What is remembered of a key; rows written before keys were held singly have one time for all of them."""
    if key in old.price_held and key not in old.price_doubts and old.price_held_since:
        return {_SINCE: old.price_held_since, _SEEN: old.price_held_since}
    return old.price_doubts.get(key)


def _is_over(key: str, doubts: Doubts, announced: CatalogModel, now: datetime) -> bool:
    """Whether the hold of a key is over; a price that is negative or no amount is always held."""
    is_amount = all(usd is not None and usd >= 0 for usd in _amounts(announced, key))
    return is_amount and now - parse_time(doubts[key][_SINCE]) >= HOLD


def _overrides(old: CatalogModel, announced: CatalogModel, held: Mapping[str, str]) -> Iterator[Tier]:
    """The announced overrides, with the old price for each held key.

    Where the conditions differ, the overrides with the held keys are listed separately: each key is looked up alone.
    """
    tiers, others = old.price_overrides, announced.price_overrides
    if [_conditions(tier) for tier in tiers] == [_conditions(tier) for tier in others]:
        for tier, other in zip(tiers, others, strict=True):
            kept = {key: tier[key] for key in held if key in tier}
            yield {**{key: value for key, value in other.items() if key not in held}, **kept}
        return
    for tier in others:
        rest = {key: value for key, value in tier.items() if key not in held}
        if rest == tier or rest.keys() & PRICE_KEYS.keys():
            yield rest
    for tier in tiers:
        if held.keys() & tier.keys():
            yield {**_conditions(tier), **{key: tier[key] for key in held if key in tier}}


def _conditions(tier: Tier) -> dict[str, Any]:
    return {key: value for key, value in tier.items() if key not in PRICE_KEYS}


def _values(model: CatalogModel, key: str) -> Sequence[object]:
    return [tier[key] for tier in (model.pricing, *model.price_overrides) if key in tier]


def _amounts(model: CatalogModel, key: str) -> Sequence[Decimal | None]:
    return [parse_usd(value) for value in _values(model, key)]
