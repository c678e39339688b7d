"""The model catalog in DynamoDB, and the record of its syncs."""

from collections.abc import Iterable
from dataclasses import asdict, fields
from typing import Any

from pynamodb.attributes import BooleanAttribute, JSONAttribute, UnicodeAttribute, UnicodeSetAttribute

from instant.adapters.tables import IntegerAttribute, Table
from instant.domain.catalog import CatalogModel, SyncRecord

_LISTS = ("input_modalities", "output_modalities", "supported_parameters")
_SYNC_RECORD = "catalog#sync"


class ModelRow(Table):
    """One model; lists are sets, nested facts are JSON."""

    openrouter_id = UnicodeAttribute(hash_key=True)
    canonical_slug = UnicodeAttribute()
    display_name = UnicodeAttribute()
    provider = UnicodeAttribute()
    description = UnicodeAttribute(default="")
    released_at = IntegerAttribute(null=True)
    context_length = IntegerAttribute(null=True)
    max_tokens = IntegerAttribute(null=True)
    input_modalities = UnicodeSetAttribute(null=True)
    output_modalities = UnicodeSetAttribute(null=True)
    supported_parameters = UnicodeSetAttribute(null=True)
    default_parameters = JSONAttribute()
    pricing = JSONAttribute()
    price_overrides = JSONAttribute()
    expiration_date = UnicodeAttribute(null=True)
    alias_target = UnicodeAttribute(null=True)
    is_active = BooleanAttribute()
    missing_since = UnicodeAttribute(null=True)

    def record(self) -> CatalogModel:
        """The row as the domain knows it."""
        lists = {name: tuple(sorted(getattr(self, name) or ())) for name in _LISTS}
        return CatalogModel(**{**self.values, **lists, "price_overrides": tuple(self.price_overrides)})


class SyncRow(Table):
    """What the last successful sync did, in the table of limits and locks."""

    name = UnicodeAttribute(hash_key=True)
    synced_at = UnicodeAttribute()
    seen = IntegerAttribute()
    written = IntegerAttribute()


class DynamoModelReader:
    """Single models."""

    def __init__(self, table_name: str) -> None:
        """Use the table of this name."""
        self._rows = ModelRow.named(table_name)

    def get(self, openrouter_id: str) -> CatalogModel | None:
        """The model, read consistently; inactive ones too."""
        row = self._rows.find(openrouter_id)
        return row.record() if row else None


class DynamoCatalog:
    """The whole catalog, for browsing and for the sync."""

    def __init__(self, models_table: str, limits_table: str) -> None:
        """Use the tables of these names."""
        self._rows = ModelRow.named(models_table)
        self._syncs = SyncRow.named(limits_table)

    def all(self) -> list[CatalogModel]:
        """Every model ever seen, inactive ones too, by id."""
        models = (row.record() for row in self._rows.scan(consistent_read=True))
        return sorted(models, key=lambda model: model.openrouter_id)

    def last_sync(self) -> SyncRecord | None:
        """What the last successful sync did."""
        row = self._syncs.find(_SYNC_RECORD)
        return SyncRecord(**{field.name: getattr(row, field.name) for field in fields(SyncRecord)}) if row else None

    def put(self, models: Iterable[CatalogModel]) -> None:
        """Store these rows, whole, 25 to a request."""
        with self._rows.batch_write() as batch:
            for model in models:
                batch.save(self._rows(**_values(model)))

    def record(self, sync: SyncRecord) -> None:
        """Note a successful sync, after its last row."""
        self._syncs(_SYNC_RECORD, **asdict(sync)).save()


def _values(model: CatalogModel) -> dict[str, Any]:
    lists = {name: set(getattr(model, name)) or None for name in _LISTS}
    return {**asdict(model), **lists, "price_overrides": list(model.price_overrides)}
