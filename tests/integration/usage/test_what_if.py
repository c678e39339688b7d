"""GET /api/usage/what-if: thirty days of own executions priced on another model, with those it cannot compare."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from instant.adapters.aws import client as aws
from instant.adapters.executions.history import DynamoExecutionHistory
from instant.domain.clock import format_time
from instant.domain.executions.execution import State
from instant.domain.page import PageRequest
from instant.use_cases.usage import compare as compare_usage
from tests.fakes.builders import a_closing, a_receipt, an_opening
from tests.integration.app import Answer, App
from tests.integration.aws_calls import operations, recorded
from tests.integration.ledgers import a_ledger
from tests.integration.synced_app import deployed_synced_app, new_user

LARK, HAIKU, MINI = "meadow/lark", "anthropic/claude-haiku-4.5", "meadow/lark-mini"
TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


@pytest.fixture(scope="module")
def shared() -> Iterator[App]:
    with deployed_synced_app() as app:
        yield app


class Past:
    """The past executions of a new user."""

    def __init__(self, app: App) -> None:
        """Start without executions."""
        self.app = app
        self.user = new_user()
        self._ledger = a_ledger(app)
        self._count = 0

    def run(self, model: str = MINI, at: datetime = TODAY, *, ended: bool = True, **receipt: Any) -> None:
        """Record one execution, closed or still open."""
        self._count += 1
        name = f"exe_{self.user}_{self._count:05d}"
        opening = an_opening(name, user_id=f"user_{self.user}", model=model, created_at=format_time(at))
        self._ledger.open(opening)
        if ended:
            closing = a_closing(State.DONE, receipt=a_receipt(**receipt), finished_at=format_time(at))
            self._ledger.close(opening, closing)

    def what_if(self, model: str = LARK, **query: str) -> Answer:
        """Request the comparison as that user."""
        return self.app.call("GET", "/api/usage/what-if", user=self.user, query={"model": model, **query})


@pytest.fixture
def past(shared: App) -> Past:
    return Past(shared)


def share(executions: int, prompt: int, completion: int, actual: str, other: str) -> dict[str, Any]:
    return {
        "executions": executions,
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "actual_usd": actual,
        "what_if_usd": other,
    }


def test_what_if_compares_priced_executions_and_counts_the_rest(past: Past) -> None:
    past.run(MINI, prompt_tokens=1000, completion_tokens=100, cost_nanousd=56_000)
    past.run(MINI, prompt_tokens=3, completion_tokens=1, cost_nanousd=280)
    past.run(HAIKU, prompt_tokens=2000, completion_tokens=500, cost_nanousd=4_500_000)
    past.run(HAIKU, prompt_tokens=2000, completion_tokens=500, cost_nanousd=None)
    past.run(HAIKU, prompt_tokens=None, completion_tokens=None, cost_nanousd=7_000)
    past.run(HAIKU, prompt_tokens=1, completion_tokens=None, cost_nanousd=0)
    past.run(HAIKU, ended=False)
    answer = past.what_if(LARK)
    assert answer.status == 200, answer.text
    assert answer.json == {
        "model": LARK,
        "since": format_time(TODAY - timedelta(days=29)),
        "compared": share(3, 3003, 601, "0.00455628", "0.00097326"),
        "by_model": [
            {"model": HAIKU, **share(1, 2000, 500, "0.0045", "0.00072")},
            {"model": MINI, **share(2, 1003, 101, "0.00005628", "0.00025326")},
        ],
        "not_compared": 4,
        "not_compared_usd": "0.000007",
        "complete": True,
        "next_cursor": None,
    }
    assert answer.headers["Cache-Control"] == "no-store"


def test_what_if_covers_thirty_utc_days_including_today(past: Past) -> None:
    first = TODAY - timedelta(days=29)
    past.run(at=first)
    past.run(at=first - timedelta(microseconds=1))
    past.run(at=TODAY)
    assert past.what_if().json["compared"]["executions"] == 2


def test_what_if_excludes_other_users(past: Past) -> None:
    other = Past(past.app)
    other.run(cost_nanousd=10**9)
    assert past.what_if().json["compared"] == share(0, 0, 0, "0", "0")
    past.run()
    assert past.what_if().json["compared"]["executions"] == 1


def test_what_if_prices_each_execution_by_its_hour_and_length(past: Past) -> None:
    yesterday = TODAY - timedelta(days=1)
    for at in (time(16, 29), time(16, 30), time(0, 29), time(0, 30)):
        past.run(at=datetime.combine(yesterday, at, UTC), prompt_tokens=1000, completion_tokens=0)
    assert past.what_if("harbor/nightshift").json["compared"]["what_if_usd"] == "0.001"
    long = Past(past.app)
    long.run(prompt_tokens=200_001, completion_tokens=0)
    assert long.what_if("anthropic/claude-sonnet-4.5").json["compared"]["what_if_usd"] == "1.200006"


def test_what_if_pages_add_up_to_the_total(past: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compare_usage, "MAX_RUNS", 4)
    for number in range(9):
        past.run(at=TODAY - timedelta(hours=number), cost_nanousd=10**number)
    pages, query = [], dict[str, str]()
    while True:
        answer = past.what_if(**query).json
        pages.append((answer["compared"]["executions"], answer["compared"]["actual_usd"], answer["complete"]))
        if answer["complete"]:
            break
        query["cursor"] = answer["next_cursor"]
    assert pages == [(4, "0.000001111", False), (4, "0.01111", False), (1, "0.1", True)]


def test_what_if_fills_a_page_from_several_queries(past: Past) -> None:
    for _ in range(12):
        past.run()
    _enlarge_rows(past)
    history = DynamoExecutionHistory(past.app.name("EXECUTIONS_TABLE"))
    with recorded("dynamodb") as calls:
        page = history.since(f"user_{past.user}", format_time(TODAY), PageRequest(10))
    assert (len(page.items), page.next is not None) == (10, True)
    assert len(operations(calls)) > 1
    rest = history.since(f"user_{past.user}", format_time(TODAY), PageRequest(10, page.next))
    assert (len(rest.items), rest.next) == (2, None)
    assert len({run.execution_id for run in page.items + rest.items}) == 12


def _enlarge_rows(past: Past) -> None:
    """Make each row larger than a reply of 1 MB allows for ten."""
    table = past.app.name("EXECUTIONS_TABLE")
    for row in past.app.table("EXECUTIONS_TABLE"):
        aws.client("dynamodb").update_item(
            TableName=table,
            Key={"execution_id": row["execution_id"]},
            UpdateExpression="SET finish_reason = :long",
            ExpressionAttributeValues={":long": {"S": "x" * 200_000}},
        )


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"model": "no/such"}, "model"),
        ({"model": "openrouter/auto"}, "model"),
        ({"model": ""}, "model"),
        ({"model": "x" * 201}, "model"),
        ({"cursor": "garbage"}, "cursor"),
        ({"days": "7"}, "days"),
    ],
)
def test_what_if_rejects_invalid_parameters_by_name(past: Past, query: dict[str, str], field: str) -> None:
    answer = past.what_if(**query) if "model" in query else past.what_if(LARK, **query)
    assert (answer.status, answer.json["error"]["details"]["field"]) == (422, field)


def test_what_if_requires_the_model(past: Past) -> None:
    answer = past.app.call("GET", "/api/usage/what-if", user=past.user)
    assert (answer.status, answer.json["error"]["details"]["field"]) == (422, "model")


def test_what_if_includes_an_execution(past: Past) -> None:
    past.app.connect(past.user)
    resource = past.app.resource(past.user)
    ran = past.app.execute(resource["resource_id"], user=past.user).json["usage"]
    compared = past.what_if(resource["ai_model_id"]).json["compared"]
    assert (compared["executions"], compared["actual_usd"]) == (1, ran["cost_usd"])
    assert compared["what_if_usd"] == ran["cost_usd"], "the same model costs the same"
