"""Choose the models that serve a call: those in the settings, or the successors of those that have ended."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from instant.domain.catalog.model import CatalogModel, ModelStatus, model_status, why_unusable
from instant.domain.catalog.successor import SuccessorPolicy, successor_of
from instant.domain.errors import ModelUnavailable
from instant.ports.catalog.lookup import ModelLookup
from instant.resource_types.resource_type import ResourceType
from instant.use_cases.resources.models import suits

ENDED = {ModelStatus.MISSING, ModelStatus.GONE, ModelStatus.UNUSABLE}
"""The statuses in which a successor serves. Half of the models that go missing unannounced never return."""


def serving_models(
    resource_type: ResourceType,
    config: Mapping[str, Any],
    policy: SuccessorPolicy,
    known: Mapping[str, CatalogModel],
    lookup: ModelLookup,
    today: date,
) -> list[CatalogModel]:
    """The models that serve, in order; `known` holds the configured models that are in the catalog.

    With the policy `switch`, the successor replaces a model that has ended (the first model or a fallback) for this
    call if the settings fit it. The settings are not changed. The caller's cap and the budgets apply as usual.
    """
    names = resource_type.models(config)
    if policy is not SuccessorPolicy.SWITCH:
        return servable(resource_type, names, known)

    def successor(name: str) -> CatalogModel | None:
        """The successor of the model, if the model has ended and has a successor."""
        model = known.get(name)
        if model is None or model_status(model, today, resource_type.supports) not in ENDED:
            return None
        return successor_of(
            model,
            (related for related in lookup.related(model) if suits(resource_type, config, related)),
            today,
            resource_type.supports,
        )

    successors = {name: found for name in names if (found := successor(name))}
    order = dict.fromkeys(successors[name].openrouter_id if name in successors else name for name in names)
    return servable(
        resource_type, list(order), {**known, **{found.openrouter_id: found for found in successors.values()}}
    )


def servable(
    resource_type: ResourceType, model_ids: Sequence[str], known: Mapping[str, CatalogModel]
) -> list[CatalogModel]:
    """The models as listed in the catalog now, without fallbacks that are gone; the first model is required."""
    models = [
        known[model_id] for model_id in model_ids if why_unusable(known.get(model_id), resource_type.supports) is None
    ]
    if model_ids and (not models or models[0].openrouter_id != model_ids[0]):
        problem = why_unusable(known.get(model_ids[0]), resource_type.supports)
        raise ModelUnavailable(f"The resource's model {model_ids[0]} {problem}. Its owner must change the resource.")
    return models
