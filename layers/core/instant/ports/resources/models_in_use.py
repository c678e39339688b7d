"""The models that resources use."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from instant.domain.catalog.impact import Use


class ModelsInUse(Protocol):
    """The models that resources use."""

    def most_used(self, count: int) -> Sequence[str]:
        """The ids of at most `count` models, by number of resources, descending."""


class UsesOfModels(Protocol):
    """The resources that use a model."""

    def of(self, openrouter_id: str) -> Iterator[Use]:
        """All resources with the model as primary or fallback, one page in memory at a time."""
