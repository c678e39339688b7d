"""The models of the catalog."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from instant.domain.catalog.model import CatalogModel, SyncRecord
from instant.domain.catalog.sync_plan import Transition


class ModelReader(Protocol):
    """One model at a time."""

    def get(self, openrouter_id: str) -> CatalogModel | None:
        """The model, read consistently; inactive ones too."""


class CatalogReader(Protocol):
    """The whole catalog."""

    def all(self) -> Sequence[CatalogModel]:
        """Every model ever seen, inactive ones too, by id."""

    def last_sync(self) -> SyncRecord | None:
        """What the last successful sync did."""


class CatalogWriter(CatalogReader, Protocol):
    """The catalog, for the sync."""

    def known(self) -> Sequence[Transition]:
        """Every model ever seen with what last changed about it, by id."""

    def write(self, transitions: Iterable[Transition]) -> None:
        """Store each model whole with its changes beside it, and after all of them the history."""

    def note(self, transitions: Iterable[Transition]) -> None:
        """Store these changes in the history; again is a no-op."""
