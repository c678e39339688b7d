"""A price that cannot be true is not believed at once: what calls may cost is reckoned from it.

In a month of real changes every price that fell to nothing, and a router's "-1" on a model that is none, was gone six
hours later; one that rose fifteenfold stayed. Hence a price is held that falls to zero or below or rises more than
tenfold, and it is believed when it has stayed the same for two days. A negative one never is: it says "it varies".
Holding is safe in both directions, since the held price is also the limit that is sent along with a call.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from instant.domain.catalog import CatalogModel
from instant.domain.clock import moment, stamp
from instant.domain.money import parse_usd

MOST_TIMES_DEARER = 10
"""A price that rises by more than this is held."""

HOLD = timedelta(hours=48)
"""How long an unusual price must stay the same to be believed."""


def settled(old: CatalogModel | None, announced: CatalogModel, now: datetime, *, accept: bool) -> CatalogModel:
    """The announced model, with the old price if the new one is not believed yet; `accept` believes all."""
    if old is None or accept or not is_unusual(old.pricing, announced.pricing):
        return announced
    is_same = old.price_held == announced.pricing and old.price_held_since is not None
    since = old.price_held_since if is_same and old.price_held_since else stamp(now)
    if now - moment(since) >= HOLD and not _has_negative(announced.pricing):
        return announced
    return replace(announced, pricing=old.pricing, price_held=announced.pricing, price_held_since=since)


def is_unusual(old: Mapping[str, str], new: Mapping[str, str]) -> bool:
    """Whether any price that was above zero falls to zero or below, is no amount, or rises more than tenfold."""
    return any(_jumps(parse_usd(old[key]), parse_usd(new[key])) for key in old.keys() & new.keys())


def _jumps(old: Decimal | None, new: Decimal | None) -> bool:
    if old is None or old <= 0:
        return False
    return new is None or new <= 0 or new > old * MOST_TIMES_DEARER


def _has_negative(pricing: Mapping[str, str]) -> bool:
    return any((price := parse_usd(text)) is None or price < 0 for text in pricing.values())
