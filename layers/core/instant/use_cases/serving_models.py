"""Which models serve a call now: those that the settings name, or the successor of a first one that has gone."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from instant.domain.catalog import CatalogModel, why_unusable
from instant.domain.errors import InvalidField, ModelUnavailable
from instant.domain.successor import SuccessorPolicy, successor_of
from instant.ports.catalog import ModelLookup
from instant.resource_types.resource_type import ResourceType


def serving_models(
    kind: ResourceType,
    config: Mapping[str, Any],
    policy: SuccessorPolicy,
    known: Mapping[str, CatalogModel],
    lookup: ModelLookup,
    today: date,
) -> list[CatalogModel]:
    """The models that serve, in order; `known` has those of the settings that the catalog knows.

    With the policy `switch`, what takes over from a model that has gone stands first, for this call and without a
    change of the settings, if they suit it. What it may cost is checked like any other call.
    """
    first, *others = kind.model_ids(config)
    gone = known.get(first)
    if policy is SuccessorPolicy.SWITCH and gone and not gone.is_active:
        successor = successor_of(gone, lookup.akin(gone), today)
        if successor and _suits(kind, config, successor):
            name = successor.openrouter_id
            return servable([name, *(other for other in others if other != name)], {**known, name: successor})
    return servable([first, *others], known)


def servable(model_ids: Sequence[str], known: Mapping[str, CatalogModel]) -> list[CatalogModel]:
    """The models as the catalog has them now, without fallbacks that have gone since; the first must be there."""
    models = [known[model_id] for model_id in model_ids if why_unusable(known.get(model_id)) is None]
    if not models or models[0].openrouter_id != model_ids[0]:
        problem = why_unusable(known.get(model_ids[0]))
        raise ModelUnavailable(f"The resource's model {model_ids[0]} {problem}. Its owner must change the resource.")
    return models


def _suits(kind: ResourceType, config: Mapping[str, Any], successor: CatalogModel) -> bool:
    """Whether a resource with these settings could be created on the successor."""
    try:
        kind.check(config, [successor])
    except InvalidField:
        return False
    return True
