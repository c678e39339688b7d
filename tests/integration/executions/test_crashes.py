"""Executions killed at each call to AWS or to the model: paid at most once, always closed, with consistent totals.

After each crash the client repeats its call, the lease expires, the reconciler runs, and the client repeats its call
once more.
"""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from unittest import mock

import pytest

from instant.adapters.aws import client as aws
from instant.adapters.executions.ledger import DynamoLedger
from instant.adapters.http.upstream import HttpUpstream
from instant.domain.clock import LEASE_SLACK
from instant.domain.error_bodies.classes import every_error
from instant.domain.executions.execution import Opening
from instant.resource_types import RESOURCE_TYPES
from tests.fakes.aws_stores import kept_tables, set_back
from tests.fakes.clock import FakeClock
from tests.fakes.deaths import Killed, killed_at, unacknowledged
from tests.integration.app import CHEAP_MODEL, EMBEDDER, EMBEDDINGS, Answer, App, deployed_app, set_clock
from tests.integration.ledgers import a_ledger
from tests.toys.careful import Careful

MINUTE, DAY = 60.0, 86_400.0
BUDGETS = ("user#user_alice", "resource#{resource_id}", "global#")
MODELS = {CHEAP_MODEL, EMBEDDER, "juniper/fresco-2"}
OPEN = {"RESERVED", "SENT", "UNKNOWN"}


@dataclass(frozen=True)
class Scenario:
    """One kind of call."""

    key: str | None = None
    has_budgets: bool = False
    prompt: str = "Say hello."
    config: tuple[tuple[str, Any], ...] = ()
    resource_type: str = "openrouter_instant"
    input: str = "prompt"
    is_streamed: bool = False


EMBEDS: dict[str, Any] = {"resource_type": EMBEDDINGS, "config": (("model", EMBEDDER),), "input": "input"}
SCENARIOS = {
    "plain": Scenario(),
    "with budgets": Scenario(has_budgets=True),
    "with a key and budgets": Scenario(key="order-1", has_budgets=True),
    "with a key, an image": Scenario(
        key="order-1", prompt="[[fake: picture png]]", config=(("model", "juniper/fresco-2"), ("max_tokens", None))
    ),
    "with a key and budgets, unanswered": Scenario(key="order-1", has_budgets=True, prompt="[[fake: truncated]]"),
    "two exchanges": Scenario(resource_type="careful"),
    "two exchanges with a key and budgets": Scenario(key="order-1", has_budgets=True, resource_type="careful"),
    "embeddings with a key and budgets": Scenario(key="order-1", has_budgets=True, **EMBEDS),
    "embeddings, unanswered": Scenario(prompt="[[fake: truncated]]", **EMBEDS),
    "streamed with a key and budgets": Scenario(key="order-1", has_budgets=True, is_streamed=True),
    "streamed with a key, an image": Scenario(
        key="order-1",
        prompt="[[fake: picture png]]",
        config=(("model", "juniper/fresco-2"), ("max_tokens", None)),
        is_streamed=True,
    ),
    "streamed, unanswered": Scenario(prompt="[[fake: truncated]]", is_streamed=True),
}


@pytest.fixture(scope="module")
def module_app() -> Iterator[App]:
    """An app whose users may leave many executions behind, with the toy type of two exchanges."""
    with mock.patch.dict(RESOURCE_TYPES, {"careful": Careful()}), deployed_app(MostInFlight="1000") as opened:
        yield opened


class WaitingClock(FakeClock):
    """Ten seconds pass with each look at it, so that a stream renews its leases and looks for a cancellation."""

    def monotonic(self) -> float:
        self.pass_seconds(10)
        return super().monotonic()


class Stage:
    """An app that can be reset, with one user's call."""

    def __init__(self, app: App, scenario: Scenario) -> None:
        """Seed the app; nothing has been called yet."""
        self.app, self.scenario = app, scenario
        app.fake.catalog = [row for row in app.fake.catalog if row["id"] in MODELS]
        app.sync()
        assert app.connect(max_cost_per_call_usd="100").status == 201
        created = app.resource(config=dict(scenario.config), resource_type=scenario.resource_type)
        self.resource_id = created["resource_id"]
        if scenario.has_budgets:
            for subject in BUDGETS:
                self._cap(f"budget#{subject.format(resource_id=self.resource_id)}")
        self._kept = kept_tables()
        self.upstream = HttpUpstream(lambda name: app.fake.url, wait_seconds=0)
        module = app.module("StreamFunction")
        module.deps = replace(module.deps, upstream=self.upstream)
        self.begin_again()

    def begin_again(self) -> None:
        """Reset the tables; the functions stay warm."""
        set_back(self._kept)
        self.app.fake.begin_again()
        self.clock = WaitingClock(datetime.now(UTC)) if self.scenario.is_streamed else FakeClock(datetime.now(UTC))
        for function in ("ExecuteFunction", "StreamFunction", "ReconcileFunction"):
            set_clock(self.app, self.clock, function)

    def call(self) -> Answer:
        """Send the client's call, with the same idempotency key each time."""
        body = {"resource_id": self.resource_id, "inputs": {self.scenario.input: self.scenario.prompt}}
        headers = {"Idempotency-Key": self.scenario.key} if self.scenario.key else {}
        if not self.scenario.is_streamed:
            return self.app.call("POST", "/api/execute", body, headers=headers)
        return _ended(self.app.call("POST", "/api/execute/stream", body, headers=headers))

    def reconcile(self) -> None:
        """Run the scheduled reconciler."""
        self.app.invoke("ReconcileFunction", {})

    def reconcile_open(self) -> None:
        """Run the scheduled reconciler if any row is in the index that it queries."""
        if any("open_shard" in row for row in self.rows()):
            self.reconcile()

    def rows(self) -> list[dict[str, Any]]:
        """Return every execution."""
        return self.app.table("EXECUTIONS_TABLE")

    def states(self) -> Counter[str]:
        """Count the executions in each state."""
        return Counter(row["state"]["S"] for row in self.rows())

    def paid(self) -> int:
        """Count the calls that reached a model and were paid."""
        return len(self.app.fake.generation_ids)

    def counted(self, table: str, name: str) -> int:
        """Sum a counter over all rows."""
        return sum(int(row.get(name, {"N": "0"})["N"]) for row in self.app.table(table))

    def spending(self) -> list[tuple[int, int]]:
        """Return what is committed and spent in each budget."""
        found: dict[str, list[int]] = {}
        for row in self.app.table("LIMITS_TABLE"):
            kind, _, name = row["name"]["S"].partition("#")
            if kind == "spend":
                sums = found.setdefault(name.rpartition("#")[0], [0, 0])
                sums[0] += int(row["committed"]["N"])
                sums[1] += int(row.get("spent", {"N": "0"})["N"])
        return [(committed, spent) for committed, spent in found.values()]

    def _cap(self, name: str) -> None:
        caps = {"daily_nanousd": {"N": str(10**12)}, "monthly_nanousd": {"N": str(10**13)}}
        aws.client("dynamodb").put_item(TableName=self.app.name("LIMITS_TABLE"), Item={"name": {"S": name}, **caps})


def _ended(answer: Answer) -> Answer:
    """The last event of a stream as a response."""
    name, _, data = answer.text.strip().rpartition("event: ")[2].partition("\ndata: ")
    if name not in {"done", "error"}:
        return answer
    status = (
        {each.code: each.status for each in every_error()}[json.loads(data)["error"]["code"]]
        if name == "error"
        else 200
    )
    return replace(answer, status=status, text=data)


@pytest.fixture
def stage(app: App, request: pytest.FixtureRequest) -> Iterator[Stage]:
    stage = Stage(app, SCENARIOS[request.param])
    with closing(stage.upstream):
        yield stage


def recover(stage: Stage) -> Answer:
    """Run the steps after a crash: repeats, the end of the lease, and the reconciler."""
    repeats = bool(stage.scenario.key)
    if repeats:
        stage.call()
    stage.clock.pass_seconds(stage.app.seconds + LEASE_SLACK + 1)
    stage.reconcile_open()
    stage.clock.pass_seconds(LEASE_SLACK - 1)  # the lease and a minute
    stage.reconcile_open()
    assert not {"RESERVED", "SENT"} & stage.states().keys()
    answer = stage.call() if repeats else Answer(0, {}, "")
    for pause in (MINUTE, 2 * MINUTE, 5 * MINUTE):
        stage.clock.pass_seconds(pause)
        stage.reconcile_open()
    if repeats:
        again = stage.call()
        assert again.status == answer.status
        assert again.text == answer.text or again.code == "outcome_unknown"
    stage.clock.pass_seconds(DAY)
    stage.reconcile()
    return answer


def assert_consistent(stage: Stage) -> None:
    """Assert that nothing is open, everything is counted once, and the budgets agree with the rows."""
    rows = stage.rows()
    assert not OPEN & stage.states().keys()
    assert not [row for row in rows if "open_shard" in row]
    assert stage.counted("USAGE_TABLE", "calls") == len(rows)
    assert stage.counted("RESOURCE_STATS_TABLE", "calls") == 2 * len(rows)
    costs = [int(row.get("cost_nanousd", {"N": "0"})["N"]) for row in rows]
    assert stage.counted("USAGE_TABLE", "cost_nanousd") == sum(costs)
    booked = sum(int(row.get("cost_nanousd", row["reserved_nanousd"])["N"]) for row in rows)
    assert stage.counted("USAGE_TABLE", "booked_nanousd") == booked
    assert all(pair == (booked, booked) or (not rows and pair == (0, 0)) for pair in stage.spending())


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("stage", SCENARIOS, indirect=True)
def test_execution_killed_at_any_step_is_paid_once_and_recorded(stage: Stage, after: bool) -> None:
    reached = 0
    for number in range(1, 40):
        stage.begin_again()
        with killed_at(number, after=after) as calls, suppress(Killed):
            stage.call()
        if calls.made < number:
            break
        reached = number
        assert stage.paid() <= 1, number
        answer = recover(stage)
        assert stage.paid() <= 1, number
        assert_consistent(stage)
        if stage.scenario.key and answer.status == 200:
            assert stage.states() == {"DONE": 1}
    assert reached >= 7  # throttle, resource, facts, open, model, close, release


@pytest.mark.parametrize("stage", SCENARIOS, indirect=True)
def test_execution_lost_acknowledgement_changes_no_total(stage: Stage) -> None:
    reached = 0
    expected = stage.call()
    for number in range(1, 40):
        stage.begin_again()
        with unacknowledged(number) as calls:
            answer = stage.call()
        if calls.made < number:
            break
        reached = number
        assert answer.status == expected.status, answer.text
        assert len(stage.rows()) == 1
        recover(stage)
        assert stage.paid() <= 1
        assert_consistent(stage)
    assert reached >= 6


class ForgetfulLedger(DynamoLedger):
    """A faulty ledger that does not record SENT."""

    def mark_sent(self, opening: Opening) -> None:
        """Leave the row unchanged."""


@pytest.mark.parametrize("stage", ["with a key and budgets"], indirect=True)
def test_sweep_detects_a_ledger_that_does_not_record_sent(stage: Stage) -> None:
    module = stage.app.module("ExecuteFunction")
    before = module.deps
    module.deps = replace(before, ledger=replace(before.ledger, ledger=a_ledger(stage.app, ForgetfulLedger)))
    paid = []
    for number in range(8, 12):
        stage.begin_again()
        with killed_at(number, after=True), suppress(Killed):
            stage.call()
        with suppress(AssertionError):
            recover(stage)
        paid.append(stage.paid())
    module.deps = before
    assert max(paid) > 1
