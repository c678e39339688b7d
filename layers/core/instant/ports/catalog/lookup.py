"""Models by id, and related ones."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from instant.domain.catalog.model import CatalogModel
from instant.ports.catalog.store import ModelReader


class ModelLookup(ModelReader, Protocol):
    """Models by id, and those that could take over from one."""

    def some(self, model_ids: Iterable[str]) -> Mapping[str, CatalogModel]:
        """Those of these models that the catalog knows, by id, read consistently."""

    def related(self, model: CatalogModel) -> Sequence[CatalogModel]:
        """What `model` is an alias of, and every other model of its canonical slug."""
