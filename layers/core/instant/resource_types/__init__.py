"""The resource types, one module each; a new type is registered here."""

from instant.domain.catalog.model import CatalogModel
from instant.resource_types.openrouter_embeddings import OpenRouterEmbeddings
from instant.resource_types.openrouter_instant import OpenRouterInstant
from instant.resource_types.prompt_template import PromptTemplate
from instant.resource_types.resource_type import ResourceType

RESOURCE_TYPES: dict[str, ResourceType] = {
    resource_type.name: resource_type
    for resource_type in (OpenRouterInstant(), PromptTemplate(), OpenRouterEmbeddings())
}
"""All resource types by name."""


def why_unsupported(model: CatalogModel) -> str | None:
    """Why no resource type can use `model`, as text to append to its id; None if one can."""
    reasons = [resource_type.supports(model) for resource_type in RESOURCE_TYPES.values()]
    return None if None in reasons else next(iter(reasons), "is not supported by any resource type")
