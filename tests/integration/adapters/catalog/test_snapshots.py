"""Snapshots of the catalog: stored in chunks, and read only if they are complete."""

import pytest

from instant.adapters.aws import client as aws
from instant.adapters.catalog import snapshots as adapter
from instant.adapters.catalog.changes import DynamoChangeLists
from instant.domain.catalog.change import ChangeFilter
from instant.domain.page import PageRequest
from tests.fakes.builders import a_model
from tests.integration.adapters.catalog.catalogs import snapshots_of
from tests.integration.app import App

MODELS = [
    a_model("a/full", price_overrides=({"min_prompt_tokens": 10, "prompt": "0.1"},), price_held={"prompt": "0.2"}),
    a_model("b/żółć", is_active=False, missing_since="2026-11-22T12:00:00.000000Z"),
]
NOVEMBER, DECEMBER = "2026-11-01T03:00:00.000000Z", "2026-12-01T03:00:00.000000Z"


def test_snapshot_is_read_as_it_was_stored(app: App) -> None:
    store = snapshots_of(app)
    store.put(NOVEMBER, MODELS)
    store.put(DECEMBER, MODELS[:1])
    for at, stored, models in (
        ("2020-01-01T00:00:00.000000Z", NOVEMBER, MODELS),
        (NOVEMBER, NOVEMBER, MODELS),
        ("2026-11-01T03:00:00.000001Z", DECEMBER, MODELS[:1]),
    ):
        found = store.first_since(at)
        assert found is not None
        assert (found.at, found.models) == (stored, models)
    assert store.first_since("2026-12-01T03:00:00.000001Z") is None


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_incomplete_snapshot_is_skipped(app: App, monkeypatch: pytest.MonkeyPatch, missing: int) -> None:
    monkeypatch.setattr(adapter, "CHUNK_BYTES", 150)
    store = snapshots_of(app)
    store.put(NOVEMBER, MODELS)
    store.put(DECEMBER, MODELS)
    key = {"openrouter_id": {"S": "#snapshots"}, "place": {"S": f"{NOVEMBER}#00{missing}"}}
    deleted = aws.client("dynamodb").delete_item(
        TableName=app.name("MODEL_CHANGES_TABLE"), Key=key, ReturnValues="ALL_OLD"
    )
    assert int(deleted["Attributes"]["chunks"]["N"]) >= 3
    found = store.first_since("2026-01-01T00:00:00.000000Z")
    assert found is not None
    assert (found.at, found.models) == (DECEMBER, MODELS)


def test_snapshots_are_not_listed_as_changes(app: App) -> None:
    snapshots_of(app).put(NOVEMBER, MODELS)
    lists = DynamoChangeLists(app.name("MODEL_CHANGES_TABLE"))
    assert lists.page(ChangeFilter(), PageRequest(limit=10)).items == []
