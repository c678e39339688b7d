"""A sync of a faulty catalog keeps the stored models and holds unusual prices."""

import copy
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any

import pytest

from tests.fakes.clock import FakeClock
from tests.integration.app import App, set_clock
from tests.integration.deadlines import little_time
from tests.integration.synced_app import deployed_synced_app

type Row = dict[str, Any]
type Serve = Callable[[App, list[Row]], None]

MODEL = "meadow/lark"


def rows_of(change: Callable[[list[Row]], object]) -> Serve:
    """Serve a catalog with a change."""

    def serve(app: App, rows: list[Row]) -> None:
        change(rows)
        app.fake.serve_catalog(json.dumps({"data": rows}).encode())

    return serve


def body_of(body: bytes, status: int = 200) -> Serve:
    """Serve a body that is not a catalog."""
    return lambda app, rows: app.fake.serve_catalog(body, status)


def share(percent: int) -> Serve:
    """Serve the first `percent` of the catalog."""
    return rows_of(lambda rows: rows.__delitem__(slice(len(rows) * percent // 100, None)))


def truncated(app: App, rows: list[Row]) -> None:
    """Serve the first half of the bytes."""
    body = json.dumps({"data": rows}).encode()
    app.fake.serve_catalog(body[: len(body) // 2])


def no_response(app: App, rows: list[Row]) -> None:
    """Serve a response that never begins."""
    app.fake.serve_catalog(chunks=[threading.Event()])


def priced(price: str) -> Callable[[list[Row]], None]:
    """Set the price of the model."""

    def change(rows: list[Row]) -> None:
        next(row for row in rows if row["id"] == MODEL)["pricing"]["prompt"] = price

    return change


def wrong_types(*places: int) -> Callable[[list[Row]], None]:
    """Set a value of the wrong type in these rows."""

    def change(rows: list[Row]) -> None:
        for place in places:
            rows[place]["context_length"] = {"tokens": "many"}

    return change


REJECTED: dict[str, Serve] = {
    "500": body_of(b'{"error": {"code": 500, "message": "Internal"}}', 500),
    "timeout": no_response,
    "empty": body_of(b""),
    "[]": body_of(b"[]"),
    "no models": body_of(b'{"data": []}'),
    "10 percent": share(10),
    "89 percent": share(89),
    "truncated": truncated,
    "HTML": body_of(b"<!DOCTYPE html><html></html>"),
    "duplicate ids": rows_of(lambda rows: rows.append(rows[3])),
}
WRONG_TYPES = {"one wrong type": [5], "many wrong types": range(30)}
HELD = {"negative price": "-1", "zero price": "0", "20x price": "0.0000036"}


@pytest.fixture(scope="module")
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(scope="module")
def shared(clock: FakeClock) -> Iterator[App]:
    """An app with the default catalog."""
    with deployed_synced_app() as app:
        set_clock(app, clock)
        yield app


@pytest.fixture
def good(shared: App, clock: FakeClock) -> Iterator[list[Row]]:
    """A copy of the good catalog, which is synced again afterwards."""
    before = copy.deepcopy(shared.fake.catalog)
    clock.pass_seconds(60)
    yield copy.deepcopy(before)
    shared.fake.catalog = before
    clock.pass_seconds(60)
    shared.sync()
    assert all(row["is_active"]["BOOL"] for row in shared.table("MODELS_TABLE"))


def _listed(app: App) -> list[Row]:
    models = app.call("GET", "/api/models", query={"limit": "200"}, user=None).json["data"]
    return [{**model, "last_synced_at": None} for model in models]


def _assert_every_attempt_fails(app: App) -> None:
    """Assert that all three attempts fail, so that the event goes to the dead-letter queue."""
    for _ in range(3):
        with pytest.raises(Exception):  # noqa: B017, PT011
            app.sync()


@pytest.mark.parametrize("fault", [*REJECTED, *HELD, *WRONG_TYPES])
def test_faulty_catalog_keeps_stored_models_and_prices(
    shared: App,
    good: list[Row],
    caplog: pytest.LogCaptureFixture,
    fault: str,
) -> None:
    before, stored = _listed(shared), shared.table("MODELS_TABLE")
    if fault in REJECTED:
        REJECTED[fault](shared, good)
        little = little_time(shared, "CatalogSyncFunction", 0.6) if fault == "timeout" else nullcontext()
        with little:
            _assert_every_attempt_fails(shared)
        assert (_listed(shared), shared.table("MODELS_TABLE")) == (before, stored)
    elif fault in HELD:
        rows_of(priced(HELD[fault]))(shared, good)
        assert shared.sync()["held"] == 1
        assert "catalog price held: meadow/lark" in caplog.messages
        changed = [now for was, now in zip(before, _listed(shared), strict=True) if was != now]
        assert [(model["openrouter_id"], model["price_held"]["prompt"]) for model in changed] == [(MODEL, HELD[fault])]
        assert changed[0]["pricing"] in [model["pricing"] for model in before if model["openrouter_id"] == MODEL]
    else:
        rows_of(wrong_types(*WRONG_TYPES[fault]))(shared, good)
        assert (shared.sync()["written"], _listed(shared)) == (0, before)
