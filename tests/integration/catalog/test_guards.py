"""A sync rejects invalid catalogs and leaves the models and the sync record unchanged."""

import copy
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from instant.adapters.http.upstream import HttpUpstream
from tests.fakes.openrouter import FakeOpenRouter
from tests.fakes.openrouter.script import Pause, Step
from tests.integration.app import App
from tests.integration.aws_calls import operations, recorded
from tests.integration.deadlines import little_time
from tests.integration.synced_app import deployed_synced_app

type Row = dict[str, Any]
type Event = dict[str, Any]

SYNC = "openrouter/models.sync"


@pytest.fixture(scope="module")
def shared() -> Iterator[App]:
    """An app with the default catalog."""
    with deployed_synced_app() as app:
        yield app


@pytest.fixture(scope="module")
def stored(shared: App) -> tuple[list[Row], list[Row]]:
    """The rows that the successful sync stored."""
    return _stored(shared)


@pytest.fixture
def rows(shared: App, stored: tuple[list[Row], list[Row]]) -> Iterator[list[Row]]:
    """Copies of the synced rows; afterwards the catalog is restored and the tables must be unchanged."""
    before = shared.fake.catalog
    yield copy.deepcopy(before)
    shared.fake.catalog = before
    assert _stored(shared) == stored


def _assert_rejects(app: App, words: str, event: Event | None = None) -> None:
    with recorded("dynamodb") as calls, pytest.raises(Exception, match=words):
        app.invoke("CatalogSyncFunction", event or {"detail-type": SYNC, "detail": {}})
    assert set(operations(calls)) <= {"UpdateItem", "Scan"}
    assert operations(calls).count("UpdateItem") == 4, "the lease was acquired and released, and the run recorded"
    run = app.call("GET", "/api/admin/sync-models", user="root", scopes="admin").json["data"][0]
    assert run["outcome"] in {"refused", "failed"}
    assert re.search(words, run["reason"])


def _stored(app: App) -> tuple[list[Row], list[Row]]:
    """Return the models, the changes and the sync record; a rejection resets only its validator."""
    (record,) = (row for row in app.table("LIMITS_TABLE") if row["name"]["S"] == "catalog#sync")
    record.pop("validator", None)
    return [*app.table("MODELS_TABLE"), *app.table("MODEL_CHANGES_TABLE")], [record]


def _serve(app: App, rows: list[Row], **more: Any) -> None:
    app.fake.serve_catalog(json.dumps({"data": rows, **more}).encode())


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, b'{"error": {"code": 500, "message": "Internal"}}'),
        (503, b""),
        (404, b'{"data": [{"id": "a/b", "architecture": {"x": 1}, "pricing": {"prompt": "0"}}]}'),
        (304, b""),
        (200, b"<!DOCTYPE html><html></html>"),
        (200, b""),
        (200, b"\n\n\n"),
        (200, b"[]"),
        (200, b"null"),
        (200, b"{}"),
        (200, b'{"data": []}'),
        (200, b'{"data": {}}'),
        (200, b'{"data": null}'),
        (200, b'{"data": "all of it"}'),
        (200, b'{"data": [null, 7, "x", [], {}]}'),
        (200, b'{"error": {"code": 500}}'),
        (200, b"[" * 100_000),
        (200, b"\xff\xfe"),
    ],
    ids=range(18),
)
def test_sync_rejects_answers_that_are_not_catalogs(shared: App, rows: list[Row], status: int, body: bytes) -> None:
    shared.fake.serve_catalog(body, status)
    for accepts in (False, True):
        event = {"detail-type": SYNC, "detail": {"accept_losses": accepts}}
        _assert_rejects(shared, "not a catalog|is empty|not text in UTF-8", event)


def test_sync_rejects_a_truncated_or_compressed_catalog(shared: App, rows: list[Row]) -> None:
    body = json.dumps({"data": rows}).encode()
    shared.fake.serve_catalog(body[: len(body) // 2])
    _assert_rejects(shared, "not a catalog")
    shared.fake.serve_catalog(chunks=[body[: len(body) // 2]], cut=True)
    _assert_rejects(shared, "connection was lost")
    shared.fake.serve_catalog(body, headers={"Content-Type": "application/json", "Content-Encoding": "gzip"})
    _assert_rejects(shared, "compressed")


def test_sync_rejects_duplicate_models(shared: App, rows: list[Row]) -> None:
    _serve(shared, [*rows, rows[3]])
    _assert_rejects(shared, "lists a model twice")


BROKEN: list[Callable[[Row], Any]] = [
    lambda row: row.pop("id"),
    lambda row: row.update(id="no-slash"),
    lambda row: row.update(id=7),
    lambda row: row.pop("pricing"),
    lambda row: row.update(pricing=[]),
    lambda row: row.update(architecture=None),
    lambda row: row.update(description="x" * 20_000),
]


@pytest.mark.parametrize("spoil", BROKEN, ids=range(len(BROKEN)))
def test_sync_rejects_too_many_unreadable_rows(shared: App, rows: list[Row], spoil: Callable[[Row], Any]) -> None:
    for row in rows[:2]:
        spoil(row)
    _serve(shared, rows)
    _assert_rejects(shared, "rows are unreadable")


def test_sync_rejects_a_mismatched_total_count(shared: App, rows: list[Row]) -> None:
    for total in (len(rows) + 1, len(rows) - 1, 0):
        _serve(shared, rows, total_count=total)
        _assert_rejects(shared, "were announced")


def test_sync_rejects_losing_more_than_a_tenth(shared: App, rows: list[Row]) -> None:
    _serve(shared, rows[:60])  # 7 of 67
    _assert_rejects(shared, "7 of 67 active models would be lost")


@pytest.mark.parametrize(
    "event",
    [
        {"detail-type": "Scheduled Event", "detail": {"accept_losses": True}},
        {"detail-type": "Scheduled Event", "detail": {}, "accept_losses": True},
        {"detail-type": "openrouter/models.other", "detail": {"accept_losses": True}},
        {"detail": {"accept_losses": True}},
        {"detail-type": SYNC},
        {"detail-type": SYNC, "detail": None},
        {"detail-type": SYNC, "detail": "accept_losses"},
        {"detail-type": SYNC, "detail": {}},
        {"detail-type": SYNC, "detail": {"accept_losses": False}},
        {"detail-type": SYNC, "detail": {"accept_losses": "true"}},
        {"detail-type": SYNC, "detail": {"accept_losses": 1}},
        {},
    ],
    ids=range(12),
)
def test_sync_requires_a_valid_event_to_accept_losses(shared: App, rows: list[Row], event: Event) -> None:
    shared.fake.catalog = rows[:40]
    _assert_rejects(shared, "would be lost", event)


def test_sync_fails_when_openrouter_is_unreachable(
    shared: App, rows: list[Row], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        module = shared.module("CatalogSyncFunction")
        nowhere = HttpUpstream(lambda name: f"http://127.0.0.1:{bound.getsockname()[1]}/api/v1")
        monkeypatch.setattr(module, "deps", replace(module.deps, upstream=nowhere))
        _assert_rejects(shared, "cannot be reached")
        nowhere.close()


def test_sync_rejects_an_answer_that_exceeds_its_time(shared: App, rows: list[Row]) -> None:
    drip: list[Step] = [b"\n", Pause()]
    silence: list[Step] = [threading.Event()]
    for endless in (drip * 10_000, silence):
        shared.fake.serve_catalog(chunks=endless)
        with little_time(shared, "CatalogSyncFunction", 0.6):
            _assert_rejects(shared, "within the time limit")


def test_sync_does_not_follow_links_to_another_host(shared: App, rows: list[Row]) -> None:
    with FakeOpenRouter() as elsewhere:
        host = elsewhere.url.removesuffix("/api/v1")
        for link in (f"{host}/page/2", f"{host}/api/v1/model/a/b", f"{host}/modelsx?offset=1", f"{host}"):
            for announced in ({}, {"total_count": len(rows)}):
                _serve(shared, rows, links={"next": link}, **announced)
                _assert_rejects(shared, "not a catalog")
        _serve(shared, rows, links={"next": f"{elsewhere.url}/models?offset=1"})
        _assert_rejects(shared, "pages|twice")
        assert elsewhere.requests == []


def test_sync_rejects_more_than_fifty_pages(shared: App, rows: list[Row]) -> None:
    _serve(shared, rows, links={"next": "/api/v1/models?offset=0"})
    shared.fake.forget_requests()
    _assert_rejects(shared, "more than 50 pages")
    assert len(shared.fake.requests) == 50
