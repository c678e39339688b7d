"""Create, change and delete resources."""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from instant.domain.access.identity import Identity
from instant.domain.catalog.impact import price_of
from instant.domain.catalog.model import CatalogModel, why_unusable
from instant.domain.catalog.not_listed import why_not_listed
from instant.domain.catalog.successor import SuccessorPolicy
from instant.domain.clock import format_time
from instant.domain.errors import AddressTaken, InvalidField, NotFound, RevisionConflict
from instant.domain.ids import new_id
from instant.domain.limits import MAX_CONFIG_BYTES
from instant.domain.resources.resource import Resource, Visibility
from instant.domain.resources.slug import slug_of
from instant.domain.validation import parse
from instant.ports.catalog.store import ModelReader
from instant.ports.clock import Clock
from instant.ports.resources.store import ResourceReader, ResourceStore
from instant.resource_types import RESOURCE_TYPES
from instant.resource_types.resource_type import ResourceType

_SLUG_ATTEMPTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceDeps:
    """The dependencies of managing resources."""

    resources: ResourceStore
    models: ModelReader
    clock: Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A resource to create; without a slug, one is generated from the name."""

    resource_type: str
    name: str
    config: Mapping[str, Any]
    slug: str | None = None
    description: str | None = None
    category: str | None = None
    visibility: Visibility = Visibility.PRIVATE
    successor_policy: SuccessorPolicy = SuccessorPolicy.SUGGEST


def create_resource(draft: Draft, caller: Identity, deps: ResourceDeps) -> Resource:
    """Validate the settings against the catalog and store the resource under a unique address."""
    resource_type = resource_type_named(draft.resource_type)
    config, models = checked(resource_type, draft.config, deps.models)
    now = deps.clock.now()
    resource = Resource(
        resource_id=new_id("res", now),
        owner_id=caller.user_id,
        resource_type=resource_type.name,
        name=draft.name,
        slug=draft.slug or slug_of(draft.name),
        description=draft.description,
        category=draft.category,
        visibility=draft.visibility,
        config=config,
        **_facts_of(models),
        successor_policy=draft.successor_policy,
        created_at=format_time(now),
        updated_at=format_time(now),
    )
    return _store(resource, is_slug_chosen=draft.slug is not None, resources=deps.resources)


def change_resource(
    resource_id: str, changes: Mapping[str, Any], revision: int | None, caller: Identity, deps: ResourceDeps
) -> Resource:
    """Apply `changes` (fields of `Draft` except the type); with `revision`, only if it is the current one."""
    old = own_resource(resource_id, caller, deps.resources, revision)
    new = replace(old, **changes, revision=old.revision + 1, updated_at=format_time(deps.clock.now()))
    if "config" in changes:
        config, models = checked(resource_type_named(old.resource_type), changes["config"], deps.models)
        new = replace(new, config=config, **_facts_of(models))
    deps.resources.replace(old, new)
    return new


def delete_resource(resource_id: str, revision: int | None, caller: Identity, deps: ResourceDeps) -> None:
    """Delete the resource; its executions stay readable."""
    deps.resources.delete(own_resource(resource_id, caller, deps.resources, revision), format_time(deps.clock.now()))


def own_resource(
    resource_id: str, caller: Identity, resources: ResourceReader, revision: int | None = None
) -> Resource:
    """The caller's own resource; another user's resource raises `NotFound`, public or not."""
    resource = resources.get(resource_id)
    if resource is None or resource.owner_id != caller.user_id:
        raise NotFound.of("resource")
    if revision is not None and revision != resource.revision:
        raise RevisionConflict(
            f"The resource is at revision {resource.revision}. Read it again, then repeat your change."
        )
    return resource


def resource_type_named(name: str) -> ResourceType:
    """The resource type of this name; raises `InvalidField` if it does not exist."""
    if name not in RESOURCE_TYPES:
        known = ", ".join(sorted(RESOURCE_TYPES))
        raise InvalidField.named("resource_type", f"is not a resource type; choose one of: {known}")
    return RESOURCE_TYPES[name]


def checked(
    resource_type: ResourceType, config: Mapping[str, Any], models: ModelReader
) -> tuple[dict[str, Any], list[CatalogModel]]:
    """The normalized settings and their models; raises `InvalidField` for settings that cannot work."""
    settings = parse(resource_type.Config, config, "config").model_dump(exclude_none=True, by_alias=True)
    _refuse_huge(settings)
    found = [_usable(model_id, resource_type, settings, models) for model_id in resource_type.models(settings)]
    resource_type.check(settings, found)
    return settings, found


def _facts_of(models: Sequence[CatalogModel]) -> dict[str, Any]:
    """The model facts stored with a resource: its primary model, and the current price of each."""
    prices = {model.openrouter_id: price_of(model) for model in models}
    return {"ai_model_id": models[0].openrouter_id if models else None, "prices": prices}


def _refuse_huge(settings: Mapping[str, Any]) -> None:
    """The limit applies to the stored JSON, where each non-ASCII character takes 6 or 12 bytes."""
    size = len(json.dumps(settings))
    if size > MAX_CONFIG_BYTES:
        raise InvalidField.named("config", f"takes {size} bytes as JSON in ASCII; {MAX_CONFIG_BYTES} are allowed")


def _usable(
    model_id: str, resource_type: ResourceType, settings: Mapping[str, Any], models: ModelReader
) -> CatalogModel:
    model = models.get(model_id)
    field = f"config.{resource_type.model_field(settings, model_id)}"
    if model is None:
        raise InvalidField.named(field, why_not_listed(model_id))
    if problem := why_unusable(model, resource_type.supports):
        raise InvalidField.named(field, f"{model.openrouter_id} {problem}")
    return model


def _store(resource: Resource, *, is_slug_chosen: bool, resources: ResourceStore) -> Resource:
    """A generated slug gets a suffix if it is taken; a chosen slug does not."""
    for _ in range(_SLUG_ATTEMPTS):
        try:
            resources.create(resource)
            return resource
        except AddressTaken:
            if is_slug_chosen:
                raise
            resource = replace(resource, slug=f"{slug_of(resource.name)[:42]}-{secrets.token_hex(2)}")
    raise AddressTaken("No free slug could be generated from the name. Choose one with 'slug'.")
