"""Resource types as callers see them."""

from typing import Annotated, TypedDict

from pydantic import Field

from instant.entrypoints.http.fields import JsonObject
from instant.resource_types.resource_type import ResourceType


class ResourceKind(TypedDict):
    """A kind of resource: forms are drawn from its JSON Schemas."""

    name: str
    description: str
    integration: Annotated[str | None, Field(description="Whose key pays; null where the type needs no key.")]
    config_schema: JsonObject
    inputs_schema: JsonObject


def kind_view(kind: ResourceType) -> ResourceKind:
    """A kind of resource: forms are drawn from its JSON Schemas."""
    return {
        "name": kind.name,
        "description": kind.description,
        "integration": kind.integration,
        "config_schema": kind.Config.model_json_schema(),
        "inputs_schema": kind.inputs_schema(),
    }
