"""Monthly snapshots of the catalog, from which past catalogs are reconstructed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from instant.domain.catalog.model import CatalogModel


@dataclass(frozen=True, slots=True)
class StoredCatalog:
    """All models as they were after the changes of time `at`."""

    at: str
    models: Sequence[CatalogModel]


class SnapshotReader(Protocol):
    """The stored snapshots."""

    def first_since(self, at: str) -> StoredCatalog | None:
        """The earliest complete snapshot of this time or later."""


class SnapshotWriter(Protocol):
    """The snapshots, for the sync."""

    def put(self, at: str, models: Iterable[CatalogModel]) -> None:
        """Store a snapshot; one that is interrupted is not read."""
