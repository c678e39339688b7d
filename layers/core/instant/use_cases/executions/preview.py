"""Preview a call: its request and its worst-case cost, without sending it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from instant.domain.access.identity import Identity
from instant.domain.catalog.model import CatalogModel
from instant.domain.catalog.successor import SuccessorPolicy
from instant.domain.errors import TooLarge
from instant.domain.executions.plan import Plan
from instant.ports.catalog.lookup import ModelLookup
from instant.ports.clock import Clock
from instant.ports.resources.store import ResourceReader
from instant.resource_types.resource_type import Call, ResourceType
from instant.use_cases.executions.models import serving_models
from instant.use_cases.resources.manage import checked, own_resource, resource_type_named

MAX_BYTES = 5_000_000
"""Maximum size of the previewed request, in bytes; a Lambda response is limited to 6 MB."""

_NO_CAP = 10**18


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewRequest:
    """A call to preview: the caller's own resource by id, or settings that are not stored."""

    resource_id: str | None = None
    resource_type: str | None = None
    config: Mapping[str, Any] | None = None
    inputs: Mapping[str, Any]
    overrides: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """The request without the fields that depend on the credential, its worst-case cost, and the inputs' schema."""

    request: Mapping[str, Any]
    worst_nanousd: int
    inputs_schema: Mapping[str, Any]


def preview_resource(
    request: PreviewRequest, caller: Identity, resources: ResourceReader, models: ModelLookup, clock: Clock
) -> Preview:
    """Plan the call of `request`; raises the same errors as creating and executing the resource."""
    resource_type, config, policy = _settings(request, caller, resources, models)
    known = models.some(resource_type.models(config))
    serving = serving_models(resource_type, config, policy, known, models, clock.now().date())
    plan = resource_type.plan(_call(request, config, serving))
    return Preview(
        request=_shown(plan), worst_nanousd=plan.worst_nanousd, inputs_schema=resource_type.inputs_schema(config)
    )


def _settings(
    request: PreviewRequest, caller: Identity, resources: ResourceReader, models: ModelLookup
) -> tuple[ResourceType, Mapping[str, Any], SuccessorPolicy]:
    """Only the owner may see the template: another user's resource raises `NotFound`, public or not."""
    if request.resource_id is not None:
        resource = own_resource(request.resource_id, caller, resources)
        return resource_type_named(resource.resource_type), resource.config, resource.successor_policy
    resource_type = resource_type_named(request.resource_type or "")
    return resource_type, checked(resource_type, request.config or {}, models)[0], SuccessorPolicy.NONE


def _call(request: PreviewRequest, config: Mapping[str, Any], models: Sequence[CatalogModel]) -> Call:
    return Call(
        config=config, inputs=request.inputs, overrides=request.overrides, models=models, cap_nanousd=_NO_CAP, user=""
    )


def _shown(plan: Plan) -> Mapping[str, Any]:
    if len(plan.request.body or b"") > MAX_BYTES:
        raise TooLarge(f"The request is longer than the {MAX_BYTES} bytes that can be shown. Preview smaller media.")
    return plan.preview
