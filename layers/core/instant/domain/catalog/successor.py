"""Which model can take over from one that ends, and what an owner wants done about that."""

from collections.abc import Iterable
from datetime import date
from enum import StrEnum

from instant.domain.catalog.model import CatalogModel, ModelStatus, Supports, model_status


class SuccessorPolicy(StrEnum):
    """What an owner wants when a model ends: to hear of no successor, to be told of one, or to have it serve."""

    NONE = "none"
    SUGGEST = "suggest"
    SWITCH = "switch"


def successor_of(
    model: CatalogModel, related: Iterable[CatalogModel], today: date, supports: Supports
) -> CatalogModel | None:
    """The best of the models `related` that serves well and does all that `model` did; None if none does.

    What an alias stood for comes first, then plain ids before variants such as `:free`, then the alphabet decides.
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
