"""Models by id, and related ones."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from instant.domain.catalog.model import CatalogModel
from instant.ports.catalog.store import ModelReader


class ModelLookup(ModelReader, Protocol):
    """Models by id, and related models that could succeed one."""

    def some(self, model_ids: Iterable[str]) -> Mapping[str, CatalogModel]:
        """The models that are in the catalog, by id, from a consistent read."""

    def related(self, model: CatalogModel) -> Sequence[CatalogModel]:
        """The target of the alias `model`, and all other models with its canonical slug."""
