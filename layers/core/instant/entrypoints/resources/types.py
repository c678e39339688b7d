"""Response bodies of resource types."""

from typing import Annotated, TypedDict

from pydantic import Field

from instant.entrypoints.http.fields import JsonObject
from instant.resource_types.resource_type import ResourceType


class ResourceTypeView(TypedDict):
    """A resource type; clients can generate forms from its JSON Schemas."""

    name: str
    description: str
    integration: Annotated[str | None, Field(description="Whose key pays; null where the type needs no key.")]
    config_schema: JsonObject
    inputs_schema: JsonObject


def resource_type_view(resource_type: ResourceType) -> ResourceTypeView:
    """A resource type; clients can generate forms from its JSON Schemas."""
    return {
        "name": resource_type.name,
        "description": resource_type.description,
        "integration": resource_type.integration,
        "config_schema": resource_type.Config.model_json_schema(),
        "inputs_schema": resource_type.inputs_schema(),
    }
