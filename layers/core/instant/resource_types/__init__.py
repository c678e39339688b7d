"""The resource types, one file each; a new one is its file and a line here."""

from instant.domain.catalog.model import CatalogModel
from instant.resource_types.openrouter_instant import OpenRouterInstant
from instant.resource_types.prompt_template import PromptTemplate
from instant.resource_types.resource_type import ResourceType

RESOURCE_TYPES: dict[str, ResourceType] = {
    resource_type.name: resource_type for resource_type in (OpenRouterInstant(), PromptTemplate())
}
"""Every resource type, by name."""


def why_unsupported(model: CatalogModel) -> str | None:
    """Why no resource type can use `model`, in words that follow its id; None if one can."""
    reasons = [resource_type.supports(model) for resource_type in RESOURCE_TYPES.values()]
    return None if None in reasons else next(iter(reasons), "is of no use to any resource type")
