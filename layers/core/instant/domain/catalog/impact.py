"""The impact of catalog changes on a resource: the status and the price of each model that it uses."""

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
"""A model's price as JSON: `pricing`, and `price_overrides` where the model has them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedModel:
    """A model that a resource uses; prices are included if they changed since the resource's settings were saved."""

    openrouter_id: str
    status: ModelStatus
    successor: str | None = None
    saved_price: Price | None = None
    price: Price | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A resource that uses a model as primary or fallback, with the fields needed to notify its owner."""

    resource_id: str
    owner_id: str
    successor_policy: SuccessorPolicy


def price_of(model: CatalogModel) -> Price:
    """The model's price, to be stored with a resource."""
    price = {
        "pricing": dict(model.pricing),
        "price_overrides": [dict(override) for override in model.price_overrides],
    }
    return {name: value for name, value in price.items() if value}


def used_model(
    openrouter_id: str, model: CatalogModel | None, saved: Price | None, today: date, supports: Supports
) -> UsedModel:
    """The current status of a model; a price counts as changed if it differs from a saved one."""
    status, price = model_status(model, today, supports), price_of(model) if model else None
    saved = saved and {name: value for name, value in saved.items() if name != "discount"}  # older rows have it
    if saved is None or price is None or price == saved:
        return UsedModel(openrouter_id=openrouter_id, status=status)
    changed = ModelStatus.PRICE_CHANGED if status is ModelStatus.OK else status
    return UsedModel(openrouter_id=openrouter_id, status=changed, saved_price=saved, price=price)


def is_notifiable(change: ModelChange) -> bool:
    """Whether owners of resources on the model are notified: availability, announced end, price and alias changes.

    A held price that was withdrawn never took effect, and an end date in another century means "never".
    """
    match change.kind:
        case ChangeKind.REPRICED:
            return not PRICES.isdisjoint(change.old)
        case ChangeKind.EXPIRATION:
            return last_day(change.old["expiration_date"]) != last_day(change.new["expiration_date"])
        case kind:
            return kind in _ALWAYS_NOTIFIED


def affected_events(use: Use, changes: Sequence[ModelChange], successor: str | None) -> Iterator[dict[str, object]]:
    """The event of each change for the resource; repeats of a change have the same event id, for deduplication."""
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
