"""The kinds of resources, one file each; a new one is its file and a line here."""

from instant.resource_types.openrouter_instant import OpenRouterInstant
from instant.resource_types.prompt_template import PromptTemplate
from instant.resource_types.resource_type import ResourceType

RESOURCE_TYPES: dict[str, ResourceType] = {kind.name: kind for kind in (OpenRouterInstant(), PromptTemplate())}
"""Every kind of resource, by name."""
