"""A resource: request and response bodies."""

from typing import Annotated, Any, NotRequired, TypedDict, cast

from pydantic import Field, StringConstraints

from instant.domain.access.identity import Identity
from instant.domain.catalog.successor import SuccessorPolicy
from instant.domain.errors import InvalidField
from instant.domain.resources.resource import Resource, Visibility
from instant.entrypoints.http.fields import Body, Choice, JsonObject, Name, Text, Time

type Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=48)]
type Category = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)]


class NewResource(Body):
    """A resource to create; GET /api/resource-types has the schema of `config`."""

    resource_type: str
    name: Name
    slug: Slug | None = None
    description: Text | None = None
    category: Category | None = None
    visibility: Choice[Visibility] = Visibility.PRIVATE
    successor_policy: Choice[SuccessorPolicy] = Field(
        SuccessorPolicy.SUGGEST,
        description="When the model ends: ignore its successor, suggest it, or use it for calls.",
    )
    config: dict[str, Any]


def _never_null(schema: dict[str, Any]) -> None:
    """None means omitted; null is rejected, so the OpenAPI document must not allow it."""
    kinds = schema.pop("anyOf")
    schema.update(next(kind for kind in kinds if kind.get("type") != "null"))
    del schema["default"]


class ResourceChanges(Body):
    """Fields to change; omitted fields are unchanged, description and category may be null."""

    name: Name | None = Field(None, json_schema_extra=_never_null)
    slug: Slug | None = Field(None, json_schema_extra=_never_null)
    description: Text | None = None
    category: Category | None = None
    visibility: Choice[Visibility] | None = Field(None, json_schema_extra=_never_null)
    successor_policy: Choice[SuccessorPolicy] | None = Field(None, json_schema_extra=_never_null)
    config: dict[str, Any] | None = Field(None, json_schema_extra=_never_null)

    def wanted(self) -> dict[str, Any]:
        """Only the fields that were sent."""
        changes = {name: getattr(self, name) for name in self.model_fields_set}
        for name in ("name", "slug", "visibility", "successor_policy", "config"):
            if name in changes and changes[name] is None:
                raise InvalidField.named(name, "cannot be null")
        return changes


class ResourceFacts(TypedDict):
    """A resource without its settings, which may be 300 KB."""

    resource_id: str
    resource_type: str
    address: Annotated[str, Field(description="handle/slug: an alternative to resource_id at POST /api/execute.")]
    name: str
    slug: str
    description: str | None
    category: str | None
    visibility: Visibility
    ai_model_id: Annotated[str | None, Field(description="Null where the type needs no model.")]
    revision: Annotated[int, Field(description="Increases with every change; can be sent as If-Match.")]
    created_at: Time
    updated_at: Time


class ResourceSummary(ResourceFacts):
    """A resource; `config` and `successor_policy` go to its owner only."""

    config: NotRequired[JsonObject]
    successor_policy: NotRequired[SuccessorPolicy]


def resource_view(resource: Resource, viewer: Identity) -> ResourceSummary:
    """A resource; its settings are for its owner only, with the scope read."""
    facts = cast(ResourceSummary, facts_view(resource))
    if not viewer.may_read_settings(resource.owner_id):
        return facts
    return {**facts, "config": dict(resource.config), "successor_policy": resource.successor_policy}


def facts_view(resource: Resource) -> ResourceFacts:
    """A resource without its settings."""
    return {
        "resource_id": resource.resource_id,
        "resource_type": resource.resource_type,
        "address": resource.address,
        "name": resource.name,
        "slug": resource.slug,
        "description": resource.description,
        "category": resource.category,
        "visibility": resource.visibility,
        "ai_model_id": resource.ai_model_id,
        "revision": resource.revision,
        "created_at": resource.created_at,
        "updated_at": resource.updated_at,
    }
