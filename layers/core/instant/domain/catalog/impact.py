"""What a change of the catalog means for a resource: for each model that it uses, the status and the price."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any

from instant.domain.catalog.change import PRICES, ChangeKind, ModelChange
from instant.domain.catalog.model import CatalogModel, ModelStatus, Supports, last_day, model_status
from instant.domain.catalog.successor import SuccessorPolicy

_ALWAYS_NOTIFIED = {ChangeKind.MISSING, ChangeKind.REMOVED, ChangeKind.RETURNED, ChangeKind.RETARGETED}

type Price = Mapping[str, Any]
"""What a model costs, as JSON: `pricing`, and where there are any `price_overrides` and `discount`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedModel:
    """A model that a resource uses; the prices are told where they differ from those when its settings were saved."""

    openrouter_id: str
    status: ModelStatus
    successor: str | None = None
    saved_price: Price | None = None
    price: Price | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A resource that uses a model, first or as a fallback: as much as must be known to tell its owner."""

    resource_id: str
    owner_id: str
    successor_policy: SuccessorPolicy


def price_of(model: CatalogModel) -> Price:
    """The model's price, to be kept with a resource."""
    price = {
        "pricing": dict(model.pricing),
        "price_overrides": [dict(override) for override in model.price_overrides],
        "discount": model.discount,
    }
    return {name: value for name, value in price.items() if value}


def used_model(
    openrouter_id: str, model: CatalogModel | None, saved: Price | None, today: date, supports: Supports
) -> UsedModel:
    """What became of a model; any other price than the saved one is a changed price, and unsaved is unchanged."""
    status, price = model_status(model, today, supports), price_of(model) if model else None
    if saved is None or price is None or price == saved:
        return UsedModel(openrouter_id=openrouter_id, status=status)
    changed = ModelStatus.PRICE_CHANGED if status is ModelStatus.OK else status
    return UsedModel(openrouter_id=openrouter_id, status=changed, saved_price=saved, price=price)


def is_notifiable(change: ModelChange) -> bool:
    """Whether those who use the model are told: that it goes or comes back, what it ends on, costs, and stands for.

    A price that was held and withdrawn never was the price, and an end in another century is none.
    """
    match change.kind:
        case ChangeKind.REPRICED:
            return not PRICES.isdisjoint(change.old)
        case ChangeKind.EXPIRATION:
            return last_day(change.old["expiration_date"]) != last_day(change.new["expiration_date"])
        case kind:
            return kind in _ALWAYS_NOTIFIED


def affected_events(use: Use, changes: Sequence[ModelChange], successor: str | None) -> Iterator[dict[str, object]]:
    """What to tell of each change to those who look after the resource; the same change has the same id each time."""
    for change in changes:
        yield {
            "id": sha256(
                "\n".join((use.resource_id, change.openrouter_id, change.at, change.kind)).encode()
            ).hexdigest(),
            "resource_id": use.resource_id,
            "owner_id": use.owner_id,
            "model": change.openrouter_id,
            "change": change.kind,
            "at": change.at,
            "old": change.old,
            "new": change.new,
            "successor": None if use.successor_policy is SuccessorPolicy.NONE else successor,
        }
