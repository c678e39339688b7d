"""A sync writes only changed models, retires missing ones and restores those that return."""

import copy
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from instant.adapters.http.upstream import HttpResponse, HttpUpstream
from instant.domain.exchange import Request
from tests.fakes.clock import FakeClock
from tests.integration.app import App
from tests.integration.aws_calls import recorded

ANSWER = b'{"choices": [{"message": {"content": "Hello."}, "finish_reason": "stop"}], "usage": {"cost": 0.000001}}'
SCHEDULE = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}


def _written(app: App, **detail: object) -> tuple[dict[str, Any], set[str]]:
    """Sync, and return the result and the ids of the written models."""
    with recorded("dynamodb") as calls:
        result = app.sync(**detail)
    rows = [
        request["PutRequest"]["Item"]["openrouter_id"]["S"]
        for call in calls
        if call.operation == "BatchWriteItem"
        for request in call.parameters["RequestItems"].get(app.name("MODELS_TABLE"), [])
    ]
    assert len(rows) == len(set(rows)) == result["written"]
    return result, set(rows)


def _counts(result: dict[str, Any]) -> dict[str, int]:
    """Return the counts of a result that are not zero."""
    return {name: number for name, number in result.items() if name != "outcome" and number}


def _model(app: App, openrouter_id: str) -> dict[str, Any]:
    return dict(app.call("GET", f"/api/models/{openrouter_id}", user=None).json)


def _without(app: App, *ids: str) -> None:
    app.fake.catalog = [row for row in app.fake.catalog if row["id"] not in ids]


def test_second_sync_of_the_same_catalog_writes_nothing(app: App) -> None:
    ids = {row["id"] for row in app.fake.catalog}
    (result, written) = _written(app)
    assert (_counts(result), written) == ({"seen": len(ids), "written": len(ids), "added": len(ids)}, ids)
    assert {row["openrouter_id"]["S"] for row in app.table("MODELS_TABLE")} == ids
    before = app.table("MODELS_TABLE")
    result, written = _written(app)
    assert (result["outcome"], _counts(result), written) == ("unchanged", {"seen": len(ids)}, set())
    assert app.table("MODELS_TABLE") == before
    (asked, _) = app.fake.requests
    assert (asked.path, asked.query) == ("/api/v1/models", {"output_modalities": "all"})
    assert "authorization" not in asked.headers


CHANGES: dict[str, Any] = {
    "price": lambda row: row["pricing"].update(prompt="0.00000019"),
    "a new price": lambda row: row["pricing"].update(web_search="0.01"),
    "an override": lambda row: row["pricing"].update(overrides=[{"min_prompt_tokens": 9, "prompt": "0.1"}]),
    "context": lambda row: row.update(context_length=99_000),
    "max tokens": lambda row: row["top_provider"].update(max_completion_tokens=None),
    "parameters": lambda row: row["supported_parameters"].remove("temperature"),
    "modalities": lambda row: row["architecture"]["input_modalities"].append("image"),
    "name": lambda row: row.update(name="Meadow: Lark 2"),
    "end": lambda row: row.update(expiration_date="2031-01-31"),
    "defaults": lambda row: row.update(default_parameters={"temperature": 0.3}),
}


def test_sync_writes_only_the_changed_model(app: App) -> None:
    app.sync()
    for change in CHANGES.values():
        row = next(row for row in app.fake.catalog if row["id"] == "meadow/lark")
        change(row)
        assert _written(app)[1] == {"meadow/lark"}
    now = _model(app, "meadow/lark")
    assert (now["pricing"]["prompt"], now["context_length"], now["max_tokens"]) == ("0.00000019", 99_000, None)
    assert (now["display_name"], now["default_parameters"]) == ("Meadow: Lark 2", {"temperature": 0.3})


def test_sync_ignores_list_order_and_unstored_keys(app: App) -> None:
    app.sync()
    for row in app.fake.catalog:
        row["supported_parameters"].reverse()
        row["architecture"]["input_modalities"].reverse()
        row.update(mascot="owl", benchmarks={"arena": 1}, hugging_face_id="x/y")
    assert _written(app)[1] == set()


def test_missing_model_is_recorded_once_and_can_return(app: App, later: FakeClock) -> None:
    app.sync()
    rows = copy.deepcopy(app.fake.catalog)
    _without(app, "meadow/lark", "stealth/bare")
    result, written = _written(app)
    assert (result["missing"], written) == (2, {"meadow/lark", "stealth/bare"})
    gone = _model(app, "meadow/lark")
    assert (gone["is_active"], gone["usable"], gone["display_name"]) == (True, True, "Meadow: Lark")
    assert gone["missing_since"] == gone["last_synced_at"]
    later.pass_seconds(139 * 3_600)
    assert _written(app)[1] == set()
    assert _model(app, "meadow/lark")["missing_since"] == gone["missing_since"]

    app.fake.catalog = rows
    later.pass_seconds(1)
    result, written = _written(app)
    assert (_counts(result)["returned"], written) == (2, {"meadow/lark", "stealth/bare"})
    back = _model(app, "meadow/lark")
    assert (back["is_active"], back["usable"], back["missing_since"]) == (True, True, None)


def test_unchanged_catalog_retires_a_model_missing_for_a_week(app: App, later: FakeClock) -> None:
    app.sync()
    rows = copy.deepcopy(app.fake.catalog)
    _without(app, "meadow/lark")
    since = (app.sync(), _model(app, "meadow/lark")["missing_since"])[1]
    later.pass_seconds(7 * 86_400 - 1)
    assert app.sync()["removed"] == 0
    later.pass_seconds(1)
    assert _counts(app.sync())["removed"] == 1
    gone = _model(app, "meadow/lark")
    assert (gone["is_active"], gone["usable"], gone["missing_since"]) == (False, False, since)
    later.pass_seconds(86_400)
    assert _written(app)[1] == set()
    app.fake.catalog = rows
    assert _counts(app.sync())["returned"] == 1
    assert _model(app, "meadow/lark")["is_active"] is True


def test_expiring_model_is_retired_once_missing_and_expired(app: App, later: FakeClock) -> None:
    app.sync()
    _without(app, "northwind/farewell-today", "northwind/farewell-soon", "northwind/farewell-9999")
    assert (result := app.sync())["removed"] == 1, result
    assert result["missing"] == 2
    assert _model(app, "northwind/farewell-today")["is_active"] is False
    later.pass_seconds(6 * 86_400)
    assert _counts(app.sync())["removed"] == 1
    assert _model(app, "northwind/farewell-soon")["is_active"] is False
    assert _model(app, "northwind/farewell-9999")["is_active"] is True


def test_unreadable_row_keeps_the_stored_model(app: App) -> None:
    app.sync()
    before = _model(app, "meadow/lark")
    row = next(row for row in app.fake.catalog if row["id"] == "meadow/lark")
    row.update(architecture={}, name="Meadow: Lark 2")
    assert _written(app)[1] == set()
    after = _model(app, "meadow/lark")
    assert {**after, "last_synced_at": None} == {**before, "last_synced_at": None}


def test_resource_executes_until_its_missing_model_is_retired(app: App, later: FakeClock) -> None:
    app.sync()
    app.connect()
    resource = app.resource(config={"model": "meadow/lark"})["resource_id"]
    rows = app.fake.catalog
    _without(app, "meadow/lark")
    app.sync()
    app.fake.script(200, ANSWER)
    assert app.execute(resource).status == 200
    later.pass_seconds(7 * 86_400)
    app.sync()
    refused = app.execute(resource)
    assert (refused.status, refused.code) == (409, "model_unavailable")
    assert app.call("GET", f"/api/resources/{resource}").json["model"]["is_active"] is False
    app.fake.catalog = rows
    app.sync()
    assert app.execute(resource).status == 200


def test_scheduled_event_starts_a_sync(app: App) -> None:
    assert app.invoke("CatalogSyncFunction", SCHEDULE)["seen"] == len(app.fake.catalog)


class PagedUpstream(HttpUpstream):
    """An upstream client that requests the catalog in pages, which OpenRouter may introduce."""

    @contextmanager
    def open(
        self, request: Request, *, seconds: float, on_wait: Callable[[], None] | None = None
    ) -> Iterator[HttpResponse]:
        path = request.path if "limit=" in request.path else f"{request.path}&limit=20"
        with super().open(replace(request, path=path), seconds=seconds, on_wait=on_wait) as response:
            yield response


def test_sync_reads_every_page(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    module = app.module("CatalogSyncFunction")
    paged = PagedUpstream(lambda name: app.fake.url)
    monkeypatch.setattr(module, "deps", replace(module.deps, upstream=paged))
    assert _written(app)[1] == {row["id"] for row in app.fake.catalog}
    assert [asked.query.get("offset") for asked in app.fake.requests] == [None, "20", "40", "60"]
    assert all(asked.query["output_modalities"] == "all" for asked in app.fake.requests)
    assert app.sync()["outcome"] == "synced", "pages have no common ETag"
    paged.close()


@pytest.mark.parametrize(("lost", "of"), [(6, 60), (1, 10)])
def test_sync_accepts_losing_a_tenth(app: App, lost: int, of: int) -> None:
    app.fake.catalog = app.fake.catalog[:of]
    app.sync()
    app.fake.catalog = app.fake.catalog[: of - lost]
    result = app.sync()
    assert result["missing"] + result["removed"] == lost


def test_accepted_losses_apply_to_one_sync_only(app: App) -> None:
    app.fake.catalog = app.fake.catalog[:60]
    app.sync()
    for left in (40, 20):
        app.fake.catalog = app.fake.catalog[:left]
        for _ in range(2):
            with pytest.raises(Exception, match="active models would be lost"):
                app.invoke("CatalogSyncFunction", SCHEDULE)
        result = app.sync(accept_losses=True)
        assert result["missing"] + result["removed"] == 20


def test_missing_models_do_not_count_as_lost_again(app: App) -> None:
    app.fake.catalog = app.fake.catalog[:60]
    for left in (54, 49, 45):
        app.sync()
        app.fake.catalog = app.fake.catalog[:left]
    result = app.sync()
    assert result["missing"] + result["removed"] == 4


def test_sync_keeps_one_record(app: App) -> None:
    app.sync()
    app.sync()
    rows = {row["name"]["S"]: row for row in app.table("LIMITS_TABLE")}
    assert rows.keys() == {"catalog#sync", "catalog#runs"}
    record = rows["catalog#sync"]
    assert "lease_holder" not in record
    assert (record["seen"]["N"], record["written"]["N"]) == (str(len(app.fake.catalog)), "0")


@pytest.mark.parametrize("unreadable", [2, 3])
def test_sync_ignores_up_to_two_percent_unreadable_rows(app: App, unreadable: int) -> None:
    rows = [{**app.fake.catalog[0], "id": f"meadow/number-{number}"} for number in range(100)]
    for row in rows[:unreadable]:
        del row["pricing"]
    app.fake.serve_catalog(json.dumps({"data": rows, "total_count": 100}).encode())
    if unreadable == 2:
        assert app.sync()["seen"] == 98
    else:
        with pytest.raises(Exception, match="3 of 100 rows are unreadable"):
            app.sync()
        assert app.table("MODELS_TABLE") == []
        assert app.call("GET", "/api/models", user=None).json["total"] == 0
