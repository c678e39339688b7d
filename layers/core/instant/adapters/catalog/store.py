"""The model catalog in DynamoDB."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, override

from pynamodb.attributes import BooleanAttribute, JSONAttribute, UnicodeAttribute, UnicodeSetAttribute
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from instant.adapters.aws.batch_writes import write_items
from instant.adapters.aws.tables import IntegerAttribute, Table
from instant.adapters.catalog.changes import ChangeRow
from instant.adapters.catalog.sync_lease import read_record
from instant.domain.catalog.change import ChangeKind, changes_from
from instant.domain.catalog.model import CatalogModel, SyncRecord
from instant.domain.catalog.sync_plan import Transition
from instant.ports.catalog.store import CatalogReader, CatalogWriter, ModelReader

_LISTS = ("input_modalities", "output_modalities", "supported_parameters", "supported_voices")
_HISTORY = {"changed_at", "changed"}


class BySlug(GlobalSecondaryIndex["ModelRow"]):  # type: ignore[no-untyped-call]
    """Index of model ids by canonical slug (keys only)."""

    class Meta:
        """The index in template.yaml."""

        index_name = "by_slug"
        projection = KeysOnlyProjection()

    canonical_slug = UnicodeAttribute(hash_key=True)


class ModelRow(Table):
    """One model; lists are sets, nested facts are JSON, and `changed` has the facts as they were before, by kind."""

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
    discount = UnicodeAttribute(null=True)
    reasoning = JSONAttribute(null=True)
    expiration_date = UnicodeAttribute(null=True)
    alias_target = UnicodeAttribute(null=True)
    is_active = BooleanAttribute()
    missing_since = UnicodeAttribute(null=True)
    price_held = JSONAttribute(null=True)
    price_held_since = UnicodeAttribute(null=True)
    price_doubts = JSONAttribute(null=True)
    top_context_length = IntegerAttribute(null=True)
    knowledge_cutoff = UnicodeAttribute(null=True)
    is_moderated = BooleanAttribute(null=True)
    supported_voices = UnicodeSetAttribute(null=True)
    changed_at = UnicodeAttribute(null=True)
    changed = JSONAttribute(null=True)
    by_slug = BySlug()

    def record(self) -> CatalogModel:
        """Convert the row to the domain object."""
        facts = {name: value for name, value in self.values.items() if name not in _HISTORY}
        lists = {name: tuple(sorted(getattr(self, name) or ())) for name in _LISTS}
        return CatalogModel(**{**facts, **lists, "price_overrides": tuple(self.price_overrides)})

    def transition(self) -> Transition:
        """The model, and what last changed about it."""
        model = self.record()
        old = {ChangeKind(kind): facts for kind, facts in (self.changed or {}).items()}
        return Transition(model, changes_from(model, self.changed_at or "", old))


class DynamoModelReader(ModelReader):
    """Single models."""

    def __init__(self, table_name: str) -> None:
        """Use the table of this name."""
        self._rows = ModelRow.named(table_name)

    @override
    def get(self, openrouter_id: str) -> CatalogModel | None:
        row = self._rows.find(openrouter_id)
        return row.record() if row else None


class DynamoCatalog(CatalogReader):
    """Reads the whole catalog for browsing."""

    def __init__(self, models_table: str, limits_table: str) -> None:
        """Use the tables of these names."""
        self._rows = ModelRow.named(models_table)
        self._limits = limits_table

    @override
    def all(self) -> list[CatalogModel]:
        models = (row.record() for row in self._rows.scan(consistent_read=True))
        return sorted(models, key=lambda model: model.openrouter_id)

    @override
    def last_sync(self) -> SyncRecord | None:
        return read_record(self._limits)


class DynamoCatalogWriter(DynamoCatalog, CatalogWriter):
    """Reads and writes the whole catalog for the sync; each model's row holds its last change."""

    def __init__(self, models_table: str, limits_table: str, changes_table: str) -> None:
        """Use the tables of these names."""
        super().__init__(models_table, limits_table)
        self._changes = ChangeRow.named(changes_table)

    @override
    def known(self) -> list[Transition]:
        found = (row.transition() for row in self._rows.scan(consistent_read=True))
        return sorted(found, key=lambda transition: transition.model.openrouter_id)

    @override
    def write(self, transitions: Iterable[Transition]) -> None:
        """Store the models, 25 per request, then the history: missing history is restored from the rows after a crash.

        Transactions would write both atomically, at twice the price.
        """
        done = list(transitions)
        write_items(self._rows, (self._rows(**_values(transition)) for transition in done))
        self.note(done)

    @override
    def note(self, transitions: Iterable[Transition]) -> None:
        changes = (change for transition in transitions for change in transition.changes)
        write_items(self._changes, map(self._changes.of, changes))


def _values(transition: Transition) -> dict[str, Any]:
    model = transition.model
    lists = {name: set(getattr(model, name)) or None for name in _LISTS}
    changed = {change.kind: dict(change.old) for change in transition.changes}
    history = {"changed_at": transition.at, "changed": changed} if changed else {}
    return {**asdict(model), **lists, "price_overrides": list(model.price_overrides), **history}
