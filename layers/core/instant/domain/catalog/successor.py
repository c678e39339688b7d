"""The successor of a model that ends, and the owner's policy for it."""

from collections.abc import Iterable
from datetime import date
from enum import StrEnum

from instant.domain.catalog.model import CatalogModel, ModelStatus, Supports, model_status


class SuccessorPolicy(StrEnum):
    """The owner's policy when a model ends: no successor, notify about it, or let it serve."""

    NONE = "none"
    SUGGEST = "suggest"
    SWITCH = "switch"


def successor_of(
    model: CatalogModel, related: Iterable[CatalogModel], today: date, supports: Supports
) -> CatalogModel | None:
    """The best of the related models that is healthy and supports everything that `model` did; None if there is none.

    The target of an alias comes first, then plain ids before variants such as `:free`, then alphabetical order.
    """
    able = (other for other in related if _can_take_over(other, model, today, supports))
    return min(able, key=lambda other: _place(other, model), default=None)


def _can_take_over(other: CatalogModel, model: CatalogModel, today: date, supports: Supports) -> bool:
    return (
        other.openrouter_id != model.openrouter_id
        and model_status(other, today, supports) is ModelStatus.OK
        and set(model.input_modalities) <= set(other.input_modalities)
        and set(model.output_modalities) <= set(other.output_modalities)
    )


def _place(other: CatalogModel, model: CatalogModel) -> tuple[bool, bool, str]:
    return other.openrouter_id != model.alias_target, ":" in other.openrouter_id, other.openrouter_id
