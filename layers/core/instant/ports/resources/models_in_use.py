"""Which models resources use."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from instant.domain.catalog.impact import Use


class ModelsInUse(Protocol):
    """Which models resources use."""

    def most_used(self, count: int) -> Sequence[str]:
        """The ids of so many models at most, those of the most resources first."""


class UsesOfModels(Protocol):
    """Which resources use a model."""

    def of(self, openrouter_id: str) -> Iterator[Use]:
        """Every resource that names the model, first or as a fallback, one page in memory at a time."""
