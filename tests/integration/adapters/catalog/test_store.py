"""The catalog store returns models exactly as written; otherwise each sync would write all of them again."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from instant.adapters.catalog.changes import DynamoChangeLists
from instant.adapters.catalog.store import DynamoCatalogWriter, DynamoModelReader
from instant.adapters.catalog.sync_lease import DynamoSyncLease
from instant.adapters.catalog.sync_runs import DynamoSyncRuns
from instant.adapters.event_bus import EventBridgeBus
from instant.domain.catalog.change import ChangeFilter, changes_of
from instant.domain.catalog.model import CatalogModel
from instant.domain.catalog.sync_plan import Rules, Transition
from instant.domain.catalog.sync_run import SyncResult
from instant.domain.exchange import Reply, Request
from instant.domain.page import PageRequest
from instant.integrations.openrouter.catalog import read_listing
from instant.use_cases.catalog.fetch import SyncRefused
from instant.use_cases.catalog.sync import SyncDeps, sync_catalog
from tests.fakes.builders import NOON, a_model
from tests.fakes.clock import FakeClock
from tests.fakes.openrouter.catalog import default_catalog
from tests.fakes.openrouter.exact_json import encode
from tests.fakes.whole_replies import WholeReplies
from tests.integration.adapters.catalog.catalogs import snapshots_of, writer_of
from tests.integration.app import App
from tests.integration.aws_calls import operations, recorded
from tests.integration.lent_app import lend_app


@pytest.fixture
def app() -> Iterator[App]:
    """A separate app, because these tests scan entire tables."""
    with lend_app() as opened:
        yield opened


@pytest.fixture
def catalog(app: App) -> DynamoCatalogWriter:
    return writer_of(app)


@pytest.fixture
def reader(app: App) -> DynamoModelReader:
    return DynamoModelReader(app.name("MODELS_TABLE"))


class Listing(WholeReplies):
    """A service that lists these rows."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        """List `rows`."""
        self.rows = rows

    def send(self, request: Request, *, seconds: float) -> Reply:
        """Return all rows on one page."""
        return Reply(status=200, body=encode({"data": self.rows, "total_count": len(self.rows)}))


def put(catalog: DynamoCatalogWriter, *models: CatalogModel) -> None:
    """Store models as new ones."""
    catalog.write([Transition(model, ()) for model in models])


def fake_models() -> list[CatalogModel]:
    """Return every model of the fake service."""
    listing = read_listing(Reply(status=200, body=encode({"data": default_catalog(date(2026, 11, 22))})))
    assert listing is not None
    return sorted(listing.models, key=lambda model: model.openrouter_id)


def test_store_returns_every_model_it_saved(catalog: DynamoCatalogWriter, reader: DynamoModelReader) -> None:
    models = fake_models()
    put(catalog, *models)
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
    canonical_slug=st.text(min_size=1),
    display_name=st.text(),
    provider=st.text(),
    description=st.text(),
    released_at=st.none() | st.integers(0, 2**53),
    context_length=st.none() | st.integers(0, 2**53),
    max_tokens=st.none() | st.integers(0, 2**53),
    input_modalities=WORDS,
    output_modalities=WORDS,
    supported_parameters=WORDS,
    supported_voices=WORDS,
    top_context_length=st.none() | st.integers(0, 2**53),
    knowledge_cutoff=st.none() | st.text(),
    is_moderated=st.none() | st.booleans(),
    default_parameters=st.dictionaries(st.text(), JSON, max_size=3),
    pricing=st.dictionaries(st.text(), st.text(), max_size=3),
    price_overrides=st.lists(st.dictionaries(st.text(), JSON, max_size=3), max_size=2).map(tuple),
    discount=st.none() | st.text(),
    reasoning=st.dictionaries(st.text(), JSON, max_size=3),
    expiration_date=st.none() | st.text(),
    alias_target=st.none() | st.text(),
    is_active=st.booleans(),
    missing_since=st.none() | st.text(),
    price_held=st.dictionaries(st.text(), st.text(), max_size=3),
    price_held_since=st.none() | st.text(),
    price_doubts=st.dictionaries(st.text(), st.dictionaries(st.text(), st.text(), max_size=2), max_size=3),
)


@given(MODELS)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_store_returns_any_generated_model(
    catalog: DynamoCatalogWriter, reader: DynamoModelReader, model: CatalogModel
) -> None:
    put(catalog, model)
    found = reader.get("odd/model")
    assert found == model
    assert found.price_doubts == model.price_doubts


def test_store_replaces_the_whole_row(catalog: DynamoCatalogWriter, reader: DynamoModelReader) -> None:
    put(catalog, a_model(expiration_date="2027-01-01", alias_target="a/b"))
    put(catalog, a_model())
    assert reader.get("meadow/lark-mini") == a_model()


def test_store_keeps_inactive_models(catalog: DynamoCatalogWriter, reader: DynamoModelReader) -> None:
    gone = a_model(is_active=False, missing_since="2026-11-22T12:00:00.000000Z")
    put(catalog, gone)
    assert reader.get(gone.openrouter_id) == gone
    assert catalog.all() == [gone]
    assert reader.get("meadow/none") is None


def test_store_writes_hundreds_of_models_and_changes_in_batches(catalog: DynamoCatalogWriter, app: App) -> None:
    models = [a_model(f"bulk/{number:04}", description="x" * 3_000) for number in range(240)]
    transitions = [Transition(model, changes_of(None, model, NOON)) for model in models]
    with recorded("dynamodb") as calls:
        catalog.write(transitions)
    assert operations(calls) == ["BatchWriteItem"] * 20
    assert (catalog.all(), catalog.known()) == (models, transitions)
    assert models_in_history(app) == {
        change.openrouter_id for transition in transitions for change in transition.changes
    }
    catalog.note(transitions)
    assert len(app.table("MODEL_CHANGES_TABLE")) == 240


def models_in_history(app: App) -> set[str]:
    """Return the ids of all models in the change history."""
    return {change.openrouter_id for change in DynamoChangeLists(app.name("MODEL_CHANGES_TABLE")).after("2026-01-01")}


class Sync:
    """Syncs of one catalog, one hour apart."""

    def __init__(self, app: App, catalog: DynamoCatalogWriter) -> None:
        """Start with the whole catalog of the fake service."""
        self.clock, self.listing = FakeClock(), Listing(default_catalog(date(2026, 11, 22)))
        limits = app.name("LIMITS_TABLE")
        self._deps = SyncDeps(
            upstream=self.listing,
            catalog=catalog,
            snapshots=snapshots_of(app),
            lease=DynamoSyncLease(limits),
            runs=DynamoSyncRuns(limits),
            bus=EventBridgeBus("default"),
            clock=self.clock,
        )

    def run(self, *, accept_losses: bool = False) -> SyncResult:
        """Sync once."""
        self.clock.pass_seconds(3_600)
        return sync_catalog(self._deps, Rules(max_loss_percent=10, accept_losses=accept_losses), lambda: 100)


def test_second_sync_of_the_same_catalog_writes_nothing(app: App, catalog: DynamoCatalogWriter) -> None:
    sync = Sync(app, catalog)
    first = sync.run()
    assert first == SyncResult(seen=len(sync.listing.rows), written=len(sync.listing.rows), added=first.written)
    before = catalog.last_sync()
    assert before is not None
    second = sync.run()
    assert (second.outcome, second.seen, second.written) == ("unchanged", first.seen, 0)
    assert catalog.last_sync() == replace(before, synced_at="2026-11-22T14:00:00.000000Z", written=0)


def test_sync_marks_a_model_missing_retired_and_active_again(
    app: App, catalog: DynamoCatalogWriter, reader: DynamoModelReader
) -> None:
    sync = Sync(app, catalog)
    sync.run()
    lost = sync.listing.rows.pop(0)
    before = reader.get(lost["id"])
    assert before is not None
    assert sync.run().missing == 1
    missing = replace(before, missing_since="2026-11-22T14:00:00.000000Z")
    assert reader.get(lost["id"]) == missing
    assert sync.run().written == 0
    sync.clock.pass_seconds(7 * 86_400)
    assert sync.run().removed == 1
    assert reader.get(lost["id"]) == replace(missing, is_active=False)
    assert sync.run().written == 0
    sync.listing.rows.append(lost)
    assert (result := sync.run()) == SyncResult(seen=len(sync.listing.rows), written=1, returned=1), result
    assert reader.get(lost["id"]) == before
    history = DynamoChangeLists(app.name("MODEL_CHANGES_TABLE")).page(ChangeFilter(model=lost["id"]), PageRequest())
    assert [change.kind for change in history.items] == ["returned", "removed", "missing", "added"]


def test_sync_rejects_a_large_loss_unless_accepted(app: App, catalog: DynamoCatalogWriter) -> None:
    sync = Sync(app, catalog)
    sync.run()
    models, record, rows = catalog.all(), catalog.last_sync(), sync.listing.rows
    assert record is not None
    sync.listing.rows = rows[: len(rows) * 89 // 100]
    with pytest.raises(SyncRefused):
        sync.run()
    assert (catalog.all(), catalog.last_sync()) == (models, replace(record, validator=None))
    assert sync.run(accept_losses=True).missing == len(rows) - len(sync.listing.rows)


def test_sync_writes_only_the_changed_price(app: App, catalog: DynamoCatalogWriter, reader: DynamoModelReader) -> None:
    sync = Sync(app, catalog)
    sync.run()
    row = next(row for row in sync.listing.rows if row["id"] == "meadow/lark")
    row["pricing"]["prompt"] = "0.0000002"
    assert sync.run() == SyncResult(seen=len(sync.listing.rows), written=1, repriced=1)
    changed, after = reader.get("meadow/lark"), catalog.last_sync()
    assert changed is not None
    assert changed.pricing["prompt"] == "0.0000002"
    assert after is not None
    assert (after.synced_at, after.written) == ("2026-11-22T14:00:00.000000Z", 1)
