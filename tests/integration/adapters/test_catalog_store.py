"""The catalog: what is read equals what was written, or every sync would write everything again."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from instant.adapters.catalog_store import DynamoCatalog, DynamoModelReader
from instant.domain.catalog import CatalogModel, SyncRecord
from instant.domain.exchange import Reply, Request
from instant.integrations.openrouter.catalog import read_listing
from instant.use_cases.sync_catalog import SyncRefused, SyncResult, sync_catalog
from tests.fakes.clock import FakeClock
from tests.fakes.nouns import a_model
from tests.fakes.openrouter.catalog import default_catalog
from tests.fakes.openrouter.exact_json import encode
from tests.integration.house import House, open_house


@pytest.fixture
def house() -> Iterator[House]:
    """A house of its own: these tests look at whole tables."""
    with open_house() as opened:
        yield opened


@pytest.fixture
def catalog(house: House) -> DynamoCatalog:
    return DynamoCatalog(house.name("MODELS_TABLE"), house.name("LIMITS_TABLE"))


@pytest.fixture
def reader(house: House) -> DynamoModelReader:
    return DynamoModelReader(house.name("MODELS_TABLE"))


class Listing:
    """A service that lists these rows."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        """List `rows`."""
        self.rows = rows

    def send(self, request: Request, *, seconds: float) -> Reply:
        """All of them, on one page."""
        return Reply(status=200, body=encode({"data": self.rows, "total_count": len(self.rows)}))


def fake_models() -> list[CatalogModel]:
    """Every model of the double."""
    listing = read_listing(Reply(status=200, body=encode({"data": default_catalog(date(2026, 11, 22))})))
    assert listing is not None
    return sorted(listing.models, key=lambda model: model.openrouter_id)


def test_every_model_is_read_as_it_was_written(catalog: DynamoCatalog, reader: DynamoModelReader) -> None:
    models = fake_models()
    catalog.put(models)
    assert catalog.all() == models
    assert [reader.get(model.openrouter_id) for model in models] == models


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
WORDS = st.sets(st.text(min_size=1, max_size=9), max_size=4).map(lambda words: tuple(sorted(words)))
MODELS = st.builds(
    CatalogModel,
    openrouter_id=st.just("odd/model"),
    canonical_slug=st.text(),
    display_name=st.text(),
    provider=st.text(),
    description=st.text(),
    released_at=st.none() | st.integers(0, 2**53),
    context_length=st.none() | st.integers(0, 2**53),
    max_tokens=st.none() | st.integers(0, 2**53),
    input_modalities=WORDS,
    output_modalities=WORDS,
    supported_parameters=WORDS,
    default_parameters=st.dictionaries(st.text(), JSON, max_size=3),
    pricing=st.dictionaries(st.text(), st.text(), max_size=3),
    price_overrides=st.lists(st.dictionaries(st.text(), JSON, max_size=3), max_size=2).map(tuple),
    expiration_date=st.none() | st.text(),
    alias_target=st.none() | st.text(),
    is_active=st.booleans(),
    missing_since=st.none() | st.text(),
)


@given(MODELS)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_model_is_read_as_it_was_written(
    catalog: DynamoCatalog, reader: DynamoModelReader, model: CatalogModel
) -> None:
    catalog.put([model])
    assert reader.get("odd/model") == model


def test_a_row_is_replaced_whole(catalog: DynamoCatalog, reader: DynamoModelReader) -> None:
    catalog.put([a_model(expiration_date="2027-01-01", alias_target="a/b")])
    catalog.put([a_model()])
    assert reader.get("meadow/lark-mini") == a_model()


def test_inactive_models_are_kept(catalog: DynamoCatalog, reader: DynamoModelReader) -> None:
    gone = a_model(is_active=False, missing_since="2026-11-22T12:00:00.000000Z")
    catalog.put([gone])
    assert reader.get(gone.openrouter_id) == gone
    assert catalog.all() == [gone]
    assert reader.get("meadow/none") is None


def test_the_record_of_a_sync(catalog: DynamoCatalog) -> None:
    assert catalog.last_sync() is None
    record = SyncRecord(synced_at="2026-11-22T12:00:00.000000Z", seen=60, written=3)
    catalog.record(record)
    assert catalog.last_sync() == record


def test_hundreds_of_rows_go_in_batches_and_come_back(catalog: DynamoCatalog) -> None:
    models = [a_model(f"bulk/{number:04}", description="x" * 3_000) for number in range(400)]
    catalog.put(models)
    assert catalog.all() == models


class Sync:
    """Syncs of one catalog, one hour apart."""

    def __init__(self, catalog: DynamoCatalog) -> None:
        """Start with the double's whole catalog."""
        self.catalog, self.clock, self.listing = catalog, FakeClock(), Listing(default_catalog(date(2026, 11, 22)))

    def run(self, *, accept_losses: bool = False) -> SyncResult:
        """Sync once."""
        self.clock.pass_seconds(3_600)
        return sync_catalog(
            upstream=self.listing,
            catalog=self.catalog,
            clock=self.clock,
            max_loss_percent=10,
            accept_losses=accept_losses,
        )


def test_a_second_sync_of_the_same_catalog_writes_nothing(catalog: DynamoCatalog) -> None:
    sync = Sync(catalog)
    first = sync.run()
    assert (first.seen, first.written, first.added, first.removed) == (len(sync.listing.rows),) * 3 + (0,)
    before = catalog.last_sync()
    assert sync.run() == replace(first, written=0, added=0)
    after = catalog.last_sync()
    assert before is not None
    assert after is not None
    assert before.synced_at < after.synced_at
    assert (before.written, after.written) == (first.written, 0)


def test_a_missing_model_is_retired_and_welcomed_back(catalog: DynamoCatalog, reader: DynamoModelReader) -> None:
    sync = Sync(catalog)
    sync.run()
    lost = sync.listing.rows.pop(0)
    before = reader.get(lost["id"])
    assert sync.run().removed == 1
    retired = reader.get(lost["id"])
    assert before is not None
    assert retired == replace(before, is_active=False, missing_since="2026-11-22T14:00:00.000000Z")
    assert sync.run() == SyncResult(seen=len(sync.listing.rows), written=0, added=0, removed=0)
    sync.listing.rows.append(lost)
    assert sync.run() == SyncResult(seen=len(sync.listing.rows), written=1, added=0, removed=0)
    assert reader.get(lost["id"]) == before


def test_a_great_loss_changes_nothing_unless_it_is_accepted(catalog: DynamoCatalog) -> None:
    sync = Sync(catalog)
    sync.run()
    models, record, rows = catalog.all(), catalog.last_sync(), sync.listing.rows
    sync.listing.rows = rows[: len(rows) * 89 // 100]
    with pytest.raises(SyncRefused):
        sync.run()
    assert (catalog.all(), catalog.last_sync()) == (models, record)
    assert sync.run(accept_losses=True).removed == len(rows) - len(sync.listing.rows)


def test_a_change_of_price_is_written_alone(catalog: DynamoCatalog, reader: DynamoModelReader) -> None:
    sync = Sync(catalog)
    sync.run()
    before = catalog.last_sync()
    row = next(row for row in sync.listing.rows if row["id"] == "meadow/lark")
    row["pricing"]["prompt"] = "0.0000002"
    assert sync.run().written == 1
    changed, after = reader.get("meadow/lark"), catalog.last_sync()
    assert changed is not None
    assert changed.pricing["prompt"] == "0.0000002"
    assert before is not None
    assert after is not None
    assert before.synced_at < after.synced_at
    assert after.written == 1
