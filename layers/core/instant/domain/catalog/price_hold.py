"""Holds an implausible price for a time before it is accepted, since the maximum cost of calls depends on it.

In a month of real changes, every price that fell to zero, and a router's "-1" on a model that is not a router, was
reverted after six hours; one fifteenfold increase was permanent. So a price is held if it falls to zero or below, or
rises more than tenfold, and it is accepted after two days without change. A negative price is never accepted: it means
"it varies". A hold is safe in both directions, since the previous price is also sent as the price limit of a call.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from instant.domain.catalog.model import CatalogModel
from instant.domain.clock import format_time, parse_time
from instant.domain.money import parse_usd

MAX_PRICE_FACTOR = 10
"""A price that rises by more than this factor is held."""

HOLD = timedelta(hours=48)
"""How long an unusual price must stay unchanged before it is accepted."""


def settled(old: CatalogModel | None, announced: CatalogModel, now: datetime, *, accept: bool) -> CatalogModel:
    """The announced model, with its old prices if the new ones are held; `accept` accepts all prices."""
    if old is None or accept or not is_unusual(old, announced):
        return announced
    is_same = old.price_held == announced.pricing and old.price_held_since is not None
    since = old.price_held_since if is_same and old.price_held_since else format_time(now)
    if now - parse_time(since) >= HOLD and not _has_negative(announced):
        return announced
    return replace(
        announced,
        pricing=old.pricing,
        price_overrides=old.price_overrides,
        discount=old.discount,
        price_held=announced.pricing,
        price_held_since=since,
    )


def is_unusual(old: CatalogModel, new: CatalogModel) -> bool:
    """Whether a price above zero falls to zero or below, becomes unreadable, or rises more than tenfold.

    Overrides are included: the lowest and the highest price of each kind are compared.
    """
    return any(_jumps(_amounts(old, key), _amounts(new, key)) for key in old.pricing.keys() & new.pricing.keys())


def _jumps(old: Sequence[Decimal | None], new: Sequence[Decimal | None]) -> bool:
    known = [price for price in old if price is not None]
    if not known or max(known) <= 0:
        return False
    lowest, highest = min(known), max(known)
    return any(price is None or price <= 0 < lowest or price > highest * MAX_PRICE_FACTOR for price in new)


def _amounts(model: CatalogModel, key: str) -> Sequence[Decimal | None]:
    return [parse_usd(tier[key]) for tier in _tiers(model) if key in tier]


def _tiers(model: CatalogModel) -> Sequence[Mapping[str, Any]]:
    return [model.pricing, *model.price_overrides]


def _has_negative(model: CatalogModel) -> bool:
    amounts = (_amounts(model, key) for key in model.pricing)
    return any(price is None or price < 0 for found in amounts for price in found)
