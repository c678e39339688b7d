"""The impact of catalog changes on the models of a resource, and their successors."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from instant.domain.catalog.impact import UsedModel, used_model
from instant.domain.catalog.model import CatalogModel, ModelStatus
from instant.domain.catalog.successor import successor_of
from instant.domain.errors import InvalidField
from instant.domain.resources.resource import Resource
from instant.ports.catalog.lookup import ModelLookup
from instant.resource_types import RESOURCE_TYPES
from instant.resource_types.resource_type import ResourceType

_ENDING = {ModelStatus.EXPIRING, ModelStatus.MISSING, ModelStatus.GONE, ModelStatus.UNUSABLE}
"""The statuses for which a successor is looked up."""


def models_of(resource: Resource) -> Sequence[str]:
    """The models in the resource's settings, the primary model first; lists have no settings, but the prices."""
    return list(resource.prices) or RESOURCE_TYPES[resource.resource_type].models(resource.config)


def used_models(resource: Resource, known: Mapping[str, CatalogModel], today: date) -> list[UsedModel]:
    """The impact on each model of the resource, in order."""
    supports = RESOURCE_TYPES[resource.resource_type].supports
    return [
        used_model(name, known.get(name), resource.prices.get(name), today, supports) for name in models_of(resource)
    ]


def with_successors(
    used: list[UsedModel],
    resource: Resource,
    known: Mapping[str, CatalogModel],
    lookup: ModelLookup,
    today: date,
) -> Iterator[UsedModel]:
    """The impacts with the successors of ending models, if the resource's settings fit them."""
    resource_type = RESOURCE_TYPES[resource.resource_type]
    for one in used:
        model = known.get(one.openrouter_id)
        if model is None or one.status not in _ENDING:
            yield one
        else:
            able = (related for related in lookup.related(model) if suits(resource_type, resource.config, related))
            successor = successor_of(model, able, today, resource_type.supports)
            yield replace(one, successor=successor.openrouter_id if successor else None)


def suits(resource_type: ResourceType, config: Mapping[str, Any], model: CatalogModel) -> bool:
    """Whether a resource with these settings could be created with the model."""
    try:
        resource_type.check(config, [model])
    except InvalidField:
        return False
    return True
