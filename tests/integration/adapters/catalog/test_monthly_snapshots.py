"""The sync stores one snapshot a month; past catalogs are reconstructed from the next one."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from instant.domain.clock import format_time
from tests.fakes.clock import FakeClock
from tests.integration.app import App, set_clock
from tests.integration.aws_calls import recorded
from tests.integration.lent_app import lend_app

DAY = 86_400


@pytest.fixture(scope="module")
def months() -> Iterator[tuple[App, dict[str, int]]]:
    """An app with a sync every five days of half a year, and the number of models after each."""
    clock, counts = FakeClock(datetime(2026, 1, 2, 3, tzinfo=UTC)), dict[str, int]()
    with lend_app() as app:
        set_clock(app, clock)
        row = app.fake.catalog[0]
        for number in range(36):
            app.fake.catalog = [*app.fake.catalog, {**row, "id": f"new/model-{number}"}]
            app.sync()
            counts[format_time(clock.now())] = len(app.fake.catalog)
            clock.pass_seconds(5 * DAY)
        yield app, counts


def _texts(query: dict[str, Any]) -> list[str]:
    return [str(next(iter(value.values()))) for value in query["ExpressionAttributeValues"].values()]


def total(app: App, at: str) -> int:
    return int(app.call("GET", "/api/models", query={"at": at, "active": "false"}, user=None).json["total"]) + int(
        app.call("GET", "/api/models", query={"at": at}, user=None).json["total"]
    )


def test_sync_stores_one_snapshot_a_month(months: tuple[App, dict[str, int]]) -> None:
    app, _ = months
    places = [row["place"]["S"] for row in app.table("MODEL_CHANGES_TABLE") if "chunks" in row]
    assert [place[:7] for place in sorted(places)] == [f"2026-0{month}" for month in range(1, 7)]
    (record,) = [row for row in app.table("LIMITS_TABLE") if "snapshot_at" in row]
    assert record["snapshot_at"]["S"].startswith("2026-06")


def test_past_catalog_has_the_models_of_its_time(months: tuple[App, dict[str, int]]) -> None:
    app, counts = months
    cold = list(counts)[::7]
    for at in [*cold, *reversed(list(counts))]:
        if at in cold:
            app.modules.pop("CatalogFunction", None)
        assert total(app, at) == counts[at], at


def test_past_catalog_reads_no_more_than_a_month_of_changes(months: tuple[App, dict[str, int]]) -> None:
    app, counts = months
    app.modules.pop("CatalogFunction", None)
    with recorded("dynamodb") as calls:
        total(app, list(counts)[3])
    queries = [call.parameters for call in calls if call.operation == "Query"]
    (changes,) = [query for query in queries if query.get("IndexName") == "feed"]
    first, last = sorted(value for value in _texts(changes) if value != "all")
    assert (first[:7], last[:7]) == ("2026-01", "2026-02")
