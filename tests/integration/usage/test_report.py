"""GET /api/usage: the caller's own usage by day and by resource, model or key, as JSON and CSV."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from instant.domain.clock import format_time
from instant.domain.executions.execution import State
from instant.domain.executions.receipt import Receipt
from tests.fakes.builders import a_closing, a_receipt, an_opening
from tests.integration.app import Answer, App
from tests.integration.aws_calls import operations, recorded
from tests.integration.ledgers import a_ledger
from tests.integration.synced_app import deployed_synced_app, new_user

TODAY = datetime(2028, 3, 1, 8, tzinfo=UTC)
LARK, MINI = "meadow/lark", "meadow/lark-mini"
NOTHING = {
    "calls": 0, "successes": 0, "failures": 0, "success_rate": None, "lost": 0, "prompt_tokens": 0,
    "completion_tokens": 0, "cost_usd": "0", "unpriced": 0, "booked_usd": "0", "latency_ms_average": None,
    "drift": {"billed_usd": "0", "computed_usd": "0", "drift_usd": "0", "drift_percent": None},
}  # fmt: skip


class FixedClock:
    """A clock fixed at 1 March, after a leap day."""

    def now(self) -> datetime:
        """Return the fixed time."""
        return TODAY


@pytest.fixture(scope="module")
def shared() -> Iterator[App]:
    with deployed_synced_app() as app:
        app.module("UsageFunction").clock = FixedClock()
        yield app


class Past:
    """The past executions of a new user."""

    def __init__(self, app: App) -> None:
        """Start without executions."""
        self.app, self.user, self._count = app, new_user(), 0
        self._ledger = a_ledger(app)

    def ran(self, at: datetime = TODAY, closing: dict[str, Any] | None = None, **opening: Any) -> None:
        """Record one execution with this end."""
        self._count += 1
        facts = {
            "run_id": "run_1",
            "service": "openrouter",
            "user_id": f"user_{self.user}",
            "created_at": format_time(at),
        }
        run = an_opening(f"exe_{self.user}_{self._count}", **(facts | opening))
        self._ledger.open(run)
        assert self._ledger.close(run, a_closing(**({"state": State.DONE} | (closing or {}))))

    def ask(self, headers: dict[str, str] | None = None, /, **query: str) -> Answer:
        """Request the report as that user."""
        return self.app.call("GET", "/api/usage", user=self.user, query=query, headers=headers)

    def report(self, **query: str) -> Any:
        """Return the JSON of the report."""
        answer = self.ask(**query)
        assert answer.status == 200, answer.text
        return answer.json


@pytest.fixture
def past(shared: App) -> Past:
    return Past(shared)


def rows_of(answer: Answer) -> list[dict[str, str]]:
    """Parse the CSV as a spreadsheet program does."""
    assert answer.status == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text, newline=""), strict=True))


def test_report_without_usage_covers_thirty_days(past: Past) -> None:
    assert past.report() == {"data": [], "total": NOTHING, "since": "2028-02-01", "until": "2028-03-01", "by": None}


def test_report_of_a_day_has_every_total(past: Past) -> None:
    past.ran(closing={"computed_nanousd": 5_000})
    past.ran(closing={"receipt": a_receipt(cost_nanousd=None), "latency_ms": 1_001})
    past.ran(closing={"state": State.FAILED, "receipt": Receipt(cost_nanousd=0), "latency_ms": None})
    lost = {"state": State.LOST, "receipt": Receipt(), "error_code": "outcome_unknown", "latency_ms": None}
    past.ran(closing={**lost, "reconciled": True})
    sums = {
        "calls": 4, "successes": 2, "failures": 2, "success_rate": "0.5000", "lost": 1, "prompt_tokens": 24,
        "completion_tokens": 68, "cost_usd": "0.00000592", "unpriced": 2, "booked_usd": "0.00140592",
        "latency_ms_average": 751,
        "drift": {
            "billed_usd": "0.00000592", "computed_usd": "0.000005", "drift_usd": "0.00000092", "drift_percent": "18.40",
        },
    }  # fmt: skip
    report = past.report()
    assert report["data"] == [{"day": "2028-03-01", **sums}]
    assert report["total"] == sums


@pytest.mark.parametrize(
    ("by", "fact", "names"),
    [
        ("resource", "resource_id", ["res_1", "res_2"]),
        ("model", "model", [LARK, MINI]),
        ("api_key", "api_key_id", [None, "key_1"]),
    ],
)
def test_report_has_a_row_per_item_and_day(past: Past, by: str, fact: str, names: list[str]) -> None:
    for at in (TODAY, TODAY - timedelta(days=1)):
        past.ran(at, resource_id="res_1", model=LARK, api_key_id=None)
        past.ran(at, resource_id="res_2", model=MINI, api_key_id="key_1")
    report = past.report(by=by)
    days = ["2028-02-29", "2028-02-29", "2028-03-01", "2028-03-01"]
    assert [(row["day"], row[fact], row["calls"]) for row in report["data"]] == [
        (day, name, 1) for day, name in zip(days, names * 2, strict=True)
    ]
    assert [{*row} & {"resource_id", "model", "api_key_id"} for row in report["data"]] == [{fact}] * 4
    assert (report["total"]["calls"], report["by"], "day" in report["total"]) == (4, by, False)


def test_report_covers_the_requested_days(past: Past) -> None:
    for days in (0, 1, 29, 30, 365, 366):
        past.ran(TODAY - timedelta(days=days))

    def reported_days(**query: str) -> list[str]:
        return [row["day"] for row in past.report(**query)["data"]]

    assert reported_days() == ["2028-02-01", "2028-02-29", "2028-03-01"]
    assert reported_days(since="2028-02-29") == ["2028-02-29", "2028-03-01"]
    assert reported_days(since="2028-02-29", until="2028-02-29") == ["2028-02-29"]
    assert reported_days(until="2028-02-29") == ["2028-01-31", "2028-02-01", "2028-02-29"]
    assert reported_days(since="2027-03-02") == ["2027-03-02", "2028-01-31", "2028-02-01", "2028-02-29", "2028-03-01"]
    assert reported_days(since="2027-03-01", until="2027-03-31") == ["2027-03-01", "2027-03-02"]
    assert reported_days(since="2030-01-01", until="2030-12-31") == reported_days(until="0001-01-01") == []


@pytest.mark.parametrize(
    ("query", "field", "problem"),
    [
        ({"since": "2028-03-02"}, "since", "must not be after until, which is 2028-03-01"),
        ({"since": "2028-02-02", "until": "2028-02-01"}, "since", "must not be after until"),
        ({"since": "2027-02-28"}, "since", "at most 366 days"),
        ({"since": "yesterday"}, "since", "must be a day, such as 2030-01-31"),
        ({"since": "2028-02-30"}, "since", ""),
        ({"until": "2028-02-01T00:00:00Z"}, "until", "must be a day"),
        ({"until": "1700000000"}, "until", "must be a day"),
        ({"until": "20280201"}, "until", "must be a day"),
        ({"until": "\u0662\u0660\u0662\u0668-02-01"}, "until", "must be a day"),
        ({"until": ""}, "until", "must be a day"),
        ({"by": "user"}, "by", ""),
        ({"by": ""}, "by", ""),
        ({"format": "xlsx"}, "format", ""),
        ({"user_id": "user_alice"}, "user_id", "is not a query parameter here"),
    ],
)
def test_report_rejects_invalid_parameters_by_name(past: Past, query: dict[str, str], field: str, problem: str) -> None:
    with recorded("dynamodb") as calls:
        answer = past.ask(**query)
    assert (answer.status, answer.code, answer.json["error"]["details"]["field"]) == (422, "invalid_field", field)
    assert problem in answer.json["error"]["message"]
    assert operations(calls) == []


def test_report_excludes_other_users(past: Past) -> None:
    other = Past(past.app)
    other.ran(resource_id="res_theirs", credential_owner_id=f"user_{past.user}")
    assert past.report(by="resource")["data"] == []
    past.ran(resource_id="res_mine")
    assert [row["resource_id"] for row in past.report(by="resource")["data"]] == ["res_mine"]
    assert [row["resource_id"] for row in other.report(by="resource")["data"]] == ["res_theirs"]
    assert [row["resource_id"] for row in rows_of(other.ask(by="resource", format="csv"))] == ["res_theirs"]


def test_report_route_has_an_authorizer(shared: App) -> None:
    route = next(route for route in shared.plan.routes if route.path == "/api/usage")
    assert route.authorizer


@pytest.mark.parametrize("by", [None, "resource", "model", "api_key"])
def test_report_csv_has_the_same_rows(past: Past, by: str | None) -> None:
    past.ran(closing={"computed_nanousd": 6_000}, api_key_id="key_1")
    past.ran(TODAY - timedelta(days=3), closing={"receipt": a_receipt(cost_nanousd=None)})
    query = {"by": by} if by else {}
    rows = rows_of(past.ask({"Accept": "text/csv"}, **query))
    expected = []
    for row in past.report(**query)["data"]:
        flat = {**{name: value for name, value in row.items() if name != "drift"}, **row["drift"]}
        expected.append({name: "" if value is None else str(value) for name, value in flat.items()})
    assert [{**row} for row in rows] == expected
    assert rows[1]["drift_usd"] == "-0.00000008", "a number, not text"
    assert all(Decimal(row[name]) is not None for row in rows for name in row if name.endswith("_usd"))


def test_report_csv_has_its_content_type(past: Past) -> None:
    answer = past.ask(format="csv", since="2028-02-01", until="2028-02-29")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="usage-2028-02-01-2028-02-29.csv"'
    assert (answer.headers["Vary"], answer.headers["Cache-Control"]) == ("Accept", "no-store")
    assert answer.text == (
        "day,calls,successes,failures,success_rate,lost,prompt_tokens,completion_tokens,cost_usd,unpriced,booked_usd,"
        "latency_ms_average,billed_usd,computed_usd,drift_usd,drift_percent\r\n"
    )


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\uff1d"])
def test_report_csv_escapes_formulas(past: Past, start: str) -> None:
    hostile = f'{start}HYPERLINK("https://evil.example","x"),\n1'
    past.ran(model=hostile)
    (row,) = rows_of(past.ask(by="model", format="csv"))
    assert row["model"] == f"'{hostile}"
    assert row["calls"] == "1"
    assert past.report(by="model")["data"][0]["model"] == hostile


def test_report_csv_does_not_change_ordinary_names(past: Past) -> None:
    past.ran(model="~a/b-c=d")
    assert rows_of(past.ask(by="model", format="csv"))[0]["model"] == "~a/b-c=d"


def test_report_returns_json_by_default(past: Past) -> None:
    for headers in ({}, {"Accept": "*/*"}, {"Accept": "application/json"}, {"Accept": "*/*, text/csv;q=0"}):
        assert past.ask(headers).headers["Content-Type"] == "application/json"
    answer = past.ask({"Accept": "text/csv"}, format="json")
    assert answer.headers["Content-Type"] == "application/json"
    assert past.ask({"Accept": "Text/CSV;q=0.9, */*;q=0.1"}).headers["Content-Type"].startswith("text/csv")


def test_report_makes_one_query(past: Past) -> None:
    past.ran()
    with recorded("dynamodb") as calls:
        past.report(by="model")
    assert operations(calls) == ["Query"]


def test_report_includes_an_execution(past: Past) -> None:
    past.app.connect(past.user)
    resource = past.app.resource(past.user)
    ran = past.app.execute(resource["resource_id"], user=past.user).json["usage"]
    today = datetime.now(UTC).date()
    (row,) = past.report(by="resource", since=str(today - timedelta(days=1)), until=str(today + timedelta(days=1)))[
        "data"
    ]
    assert (row["resource_id"], row["calls"], row["success_rate"]) == (resource["resource_id"], 1, "1.0000")
    assert (row["prompt_tokens"], row["completion_tokens"]) == (ran["prompt_tokens"], ran["completion_tokens"])
    assert row["cost_usd"] == row["booked_usd"] == row["drift"]["billed_usd"] == ran["cost_usd"]
    assert row["drift"]["drift_percent"] == "0.00", "the fake service charges its catalog prices"
