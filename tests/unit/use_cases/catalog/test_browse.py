"""The cached catalog: when it checks for a sync and when it reloads."""

from collections.abc import Sequence

import pytest

from instant.domain.catalog.index import CatalogIndex
from instant.domain.catalog.model import CatalogModel, SyncRecord
from instant.domain.errors import NotFound
from instant.use_cases.catalog.browse import Catalog, read_model
from tests.fakes.builders import a_model
from tests.fakes.clock import FakeClock

MODELS = [a_model("meadow/lark"), a_model("old/timer", is_active=False)]


class Reader:
    """A catalog that counts the reads of its sync record and of all models."""

    def __init__(self) -> None:
        """Start without a sync."""
        self.record: SyncRecord | None = None
        self.checks = 0
        self.reads = 0

    def all(self) -> Sequence[CatalogModel]:
        """Return all models."""
        self.reads += 1
        return MODELS

    def last_sync(self) -> SyncRecord | None:
        """Return the sync record."""
        self.checks += 1
        return self.record


def test_browse_finds_a_retired_model_by_its_full_id() -> None:
    assert read_model("old/timer", CatalogIndex(MODELS)) is MODELS[1]
    for missing in ("meadow/lar", "MEADOW/LARK", ""):
        with pytest.raises(NotFound):
            read_model(missing, CatalogIndex(MODELS))


def test_browse_reloads_the_catalog_only_after_a_sync() -> None:
    reader, clock = Reader(), FakeClock()
    catalog = Catalog(reader, clock, fresh_seconds=0)
    reader.record = SyncRecord(synced_at="now", read_at="now")
    index, sync = catalog.now()
    assert (index.get("meadow/lark"), sync) == (MODELS[0], reader.record)
    assert (catalog.now(), reader.reads, reader.checks) == ((index, sync), 1, 2)
    reader.record = SyncRecord(synced_at="later", read_at="now")
    assert (catalog.now(), reader.reads) == ((index, reader.record), 1), "the list did not change in that sync"
    reader.record = SyncRecord(synced_at="later", read_at="later")
    other, sync = catalog.now()
    assert other is not index
    assert (sync, reader.reads) == (reader.record, 2)


def test_browse_does_not_check_for_a_sync_while_fresh() -> None:
    reader, clock = Reader(), FakeClock()
    catalog = Catalog(reader, clock, fresh_seconds=2)
    reader.record = first = SyncRecord(synced_at="now", read_at="now")
    catalog.now()
    reader.record = SyncRecord(synced_at="later", read_at="later")
    clock.pass_seconds(1.999)
    assert (catalog.now()[1], reader.checks) == (first, 1)
    clock.pass_seconds(0.001)
    assert (catalog.now()[1], reader.checks, reader.reads) == (reader.record, 2, 2)
    clock.pass_seconds(1.999)
    assert (catalog.now()[1], reader.checks) == (reader.record, 2)


def test_browse_checks_each_time_until_the_first_sync() -> None:
    reader, clock = Reader(), FakeClock()
    catalog = Catalog(reader, clock, fresh_seconds=2)
    for checks in (1, 2):
        index, sync = catalog.now()
        assert (index.get("meadow/lark"), sync, reader.checks) == (None, None, checks)
    reader.record = SyncRecord(synced_at="now")
    assert catalog.now()[0].get("meadow/lark") is MODELS[0]
    clock.pass_seconds(2)
    reader.record = None
    assert catalog.now()[0].get("meadow/lark") is None
