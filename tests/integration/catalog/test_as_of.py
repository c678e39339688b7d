"""The catalog at a past time returns the answers that it returned at that time."""

import copy
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from instant.domain.clock import format_time
from instant.use_cases.catalog import past
from tests.fakes.clock import FakeClock
from tests.integration.app import Answer, App, set_clock
from tests.integration.aws_calls import operations, recorded
from tests.integration.lent_app import lend_app

type Rows = list[dict[str, Any]]
DAY = 86_400
QUERIES: list[dict[str, str]] = [
    {},
    {"q": "lark"},
    {"author": "meadow"},
    {"max_price": "0.0000002"},
    {"active": "false"},
]


def _row(rows: Rows, openrouter_id: str) -> dict[str, Any]:
    return next(row for row in rows if row["id"] == openrouter_id)


def _steps(rows: Rows) -> Iterator[Rows]:
    """Catalogs of consecutive days."""
    yield rows[20:]
    yield rows
    _row(rows, "meadow/lark")["pricing"]["prompt"] = "0.00000021"
    _row(rows, "~meadow/lark-latest")["alias_target"]["slug"] = "meadow/lark-mini"
    yield rows
    without = [row for row in rows if row["id"] != "meadow/lark"]
    for _ in range(8):
        yield without
    _row(rows, "meadow/lark")["name"] = "Meadow: Lark Again"
    yield rows


@pytest.fixture(scope="module")
def days() -> Iterator[tuple[App, dict[str, dict[str, Any]]]]:
    """An app, and its response to each query on each day."""
    clock, answered = FakeClock(datetime.now(UTC)), dict[str, dict[str, Any]]()
    with lend_app() as app:
        set_clock(app, clock)
        for rows in _steps(copy.deepcopy(app.fake.catalog)):
            clock.pass_seconds(DAY)
            app.fake.catalog = copy.deepcopy(rows)
            app.sync()
            answered[format_time(clock.now())] = {str(query): _ask(app, **query).json for query in QUERIES}
        yield app, answered


def _ask(app: App, path: str = "", **query: str) -> Answer:
    limit = {} if path else {"limit": "200"}
    return app.call("GET", f"/api/models{path}", query={**limit, **query}, user=None)


def _timeless(answered: Any) -> Any:
    """Return a response without the time of the last sync, which past responses do not have."""
    rows = [{**row, "last_synced_at": None} for row in answered["data"]]
    return {**answered, "data": rows}


def test_list_at_a_past_time_returns_that_days_answer(days: tuple[App, dict[str, dict[str, Any]]]) -> None:
    app, answered = days
    assert len({str(_timeless(answers["{}"])) for answers in answered.values()}) >= 5
    for at, answers in answered.items():
        for query in QUERIES:
            assert _timeless(_ask(app, at=at, **query).json) == _timeless(answers[str(query)]), (
                at,
                query,
            )


def test_model_at_a_past_time_returns_that_days_row(days: tuple[App, dict[str, dict[str, Any]]]) -> None:
    app, answered = days
    seen = set()
    for at, answers in answered.items():
        rows = answers["{}"]["data"] + answers["{'active': 'false'}"]["data"]
        then = [row for row in rows if row["openrouter_id"] == "meadow/lark"]
        answer = _ask(app, "/meadow/lark", at=at)
        if not then:
            assert (answer.status, answer.code) == (404, "not_found")
            continue
        assert _timeless({"data": [answer.json]}) == _timeless({"data": then})
        seen.add((answer.json["display_name"], answer.json["pricing"]["prompt"], answer.json["is_active"]))
    assert len(seen) == 4


def test_list_between_syncs_returns_the_earlier_state(
    days: tuple[App, dict[str, dict[str, Any]]],
) -> None:
    app, answered = days
    first, second = list(answered)[:2]
    when = datetime.fromisoformat(second).timestamp() - 0.000_001
    just_before = format_time(datetime.fromtimestamp(round(when, 6), UTC))
    assert _timeless(_ask(app, at=just_before).json) == _timeless(answered[first]["{}"])
    assert _ask(app, at="2020-01-01T00:00:00+02:00").json == {"data": [], "next_cursor": None, "total": 0}
    assert _timeless(_ask(app, at="2999-01-01T00:00:00Z").json) == _timeless(answered[list(answered)[-1]]["{}"])


def test_next_page_of_a_past_list_keeps_its_time(days: tuple[App, dict[str, dict[str, Any]]]) -> None:
    app, answered = days
    at = list(answered)[1]
    first = _ask(app, at=at, limit="40").json
    second = _ask(app, at=at, limit="40", cursor=first["next_cursor"]).json
    assert _timeless({"data": first["data"] + second["data"]}) == _timeless({"data": answered[at]["{}"]["data"]})


def test_past_answer_reads_a_snapshot_and_later_changes_once(days: tuple[App, dict[str, dict[str, Any]]]) -> None:
    app, answered = days
    app.modules.pop("CatalogFunction")
    _ask(app)
    reads = []
    for _ in range(2):
        with recorded("dynamodb") as calls:
            _ask(app, at=list(answered)[-2])
        reads.append(operations(calls))
    assert reads == [["GetItem", "Query", "Query"], ["GetItem"]]
    with recorded("dynamodb") as calls:
        _ask(app, "/meadow/lark", at=list(answered)[-2])
    assert operations(calls) == ["GetItem", "Query"]


@pytest.mark.parametrize("value", ["yesterday", "2026-11-22", "1700000000", "2026-11-22T12:00:00", ""])
def test_at_parameter_rejects_invalid_times(days: tuple[App, dict[str, dict[str, Any]]], value: str) -> None:
    for path in ("", "/meadow/lark"):
        answer = _ask(days[0], path, at=value)
        assert (answer.status, answer.json["error"]["details"]["field"]) == (422, "at")


def test_past_list_rejects_times_beyond_its_change_limit(
    days: tuple[App, dict[str, dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    app, answered = days
    app.modules.pop("CatalogFunction")
    monkeypatch.setattr(past, "MAX_UNDONE", 2)
    early = list(answered)[2]
    operations_of_each = []
    for _ in range(2):
        with recorded("dynamodb") as calls:
            answer = _ask(app, at=early)
        operations_of_each.append(operations(calls))
        assert (answer.status, answer.json["error"]["details"]["field"]) == (422, "at")
        assert "one model" in answer.json["error"]["message"]
    assert operations_of_each[1] == ["GetItem"], "the second refusal reads nothing"
    almost = format_time(datetime.fromisoformat(early) + timedelta(microseconds=1))
    with recorded("dynamodb") as calls:
        assert _ask(app, at=almost).status == 422
    assert operations(calls) == ["GetItem"], "a slightly later time reads nothing, either"
    assert _ask(app, at=list(answered)[-2]).status == _ask(app, "/meadow/lark", at=early).status == 200
