"""The models of the catalog."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from instant.domain.catalog.model import CatalogModel, SyncRecord
from instant.domain.catalog.sync_plan import Transition


class ModelReader(Protocol):
    """Reads single models."""

    def get(self, openrouter_id: str) -> CatalogModel | None:
        """The model, active or not, from a consistent read."""


class CatalogReader(Protocol):
    """Reads the complete catalog."""

    def all(self) -> Sequence[CatalogModel]:
        """All models ever listed, including inactive ones, sorted by id."""

    def last_sync(self) -> SyncRecord | None:
        """The record of the last successful sync."""


class CatalogWriter(CatalogReader, Protocol):
    """The catalog, for the sync."""

    def known(self) -> Sequence[Transition]:
        """All models ever listed with their latest changes, sorted by id."""

    def write(self, transitions: Iterable[Transition]) -> None:
        """Store each model with its latest changes, and then the history."""

    def note(self, transitions: Iterable[Transition]) -> None:
        """Store these changes in the history; idempotent."""
