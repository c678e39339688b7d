"""Batch reads of models by id, and of possible successors from an index by canonical slug."""

from collections.abc import Iterable
from itertools import batched
from typing import override

from instant.adapters.aws.batch_reads import MAX_KEYS, name_of, read_items, these
from instant.adapters.catalog.store import DynamoModelReader
from instant.domain.catalog.model import CatalogModel
from instant.ports.catalog.lookup import ModelLookup


class DynamoModelLookup(DynamoModelReader, ModelLookup):
    """Reads models from their table; the index has only ids."""

    @override
    def some(self, model_ids: Iterable[str]) -> dict[str, CatalogModel]:
        batches = batched(dict.fromkeys(model_ids), MAX_KEYS, strict=False)
        found = (model for ids in batches for model in self._read(ids))
        return {model.openrouter_id: model for model in found}

    @override
    def related(self, model: CatalogModel) -> list[CatalogModel]:
        same = (row.openrouter_id for row in self._rows.by_slug.query(model.canonical_slug))
        ids = {*same, model.alias_target} - {model.openrouter_id, None}
        return list(self.some(name for name in ids if name).values())

    def _read(self, ids: Iterable[str]) -> list[CatalogModel]:
        table = name_of(self._rows)
        items = read_items({table: these([{"openrouter_id": {"S": name}} for name in ids])})
        return [self._rows.from_raw_data(item).record() for item in items.get(table, [])]
