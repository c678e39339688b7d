"""Show what a call would send and what it can cost at most, without sending it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from instant.domain.catalog import CatalogModel
from instant.domain.errors import TooLarge
from instant.domain.identity import Identity, Scope
from instant.ports import ModelReader, ResourceReader
from instant.resource_types.resource_type import Call, Plan, ResourceType
from instant.use_cases.execute_resource import servable
from instant.use_cases.manage_resources import checked, kind_named, own_resource

MAX_BYTES = 5_000_000
"""Longest request that is shown; a function's answer ends at 6 MB."""

_NO_CAP = 10**18


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A call to look at: of the caller's own resource by id, or of settings that are not stored."""

    resource_id: str | None = None
    resource_type: str | None = None
    config: Mapping[str, Any] | None = None
    inputs: Mapping[str, Any]
    overrides: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """The chat body without what depends on who pays, its highest price, and the schema of the inputs."""

    request: Mapping[str, Any]
    worst_nanousd: int
    inputs_schema: Mapping[str, Any]


def preview_resource(trial: Trial, caller: Identity, resources: ResourceReader, models: ModelReader) -> Preview:
    """What `trial` would send; refused, by name, as creating and executing would refuse it."""
    caller.require(Scope.MANAGE)
    kind, config = _settings(trial, caller, resources, models)
    ids = kind.model_ids(config)
    known = {model_id: model for model_id in ids if (model := models.get(model_id))}
    plan = kind.plan(_call(trial, config, servable(ids, known)))
    return Preview(request=_shown(plan), worst_nanousd=plan.worst_nanousd, inputs_schema=kind.inputs_schema(config))


def _settings(
    trial: Trial, caller: Identity, resources: ResourceReader, models: ModelReader
) -> tuple[ResourceType, Mapping[str, Any]]:
    """A template is its owner's: somebody else's resource reads as missing, public or not."""
    if trial.resource_id is not None:
        resource = own_resource(trial.resource_id, caller, resources)
        return kind_named(resource.resource_type), resource.config
    kind = kind_named(trial.resource_type or "")
    return kind, checked(kind, trial.config or {}, models)[0]


def _call(trial: Trial, config: Mapping[str, Any], models: Sequence[CatalogModel]) -> Call:
    return Call(
        config=config, inputs=trial.inputs, overrides=trial.overrides, models=models, cap_nanousd=_NO_CAP, user=""
    )


def _shown(plan: Plan) -> dict[str, Any]:
    if len(plan.request.body or b"") > MAX_BYTES:
        raise TooLarge(f"The request is longer than the {MAX_BYTES} bytes that can be shown. Preview smaller media.")
    body: dict[str, Any] = json.loads(plan.request.body or b"{}")
    body.pop("user", None)
    provider = body.pop("provider", {})
    provider.pop("max_price", None)
    return {**body, "provider": provider} if provider else body
