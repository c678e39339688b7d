"""A stream that is cancelled while it runs: it ends, what it cost is recorded once, and repeats get the same error."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from instant.adapters.http.upstream import HttpUpstream
from instant.domain.executions.output import Delta
from tests.fakes.clock import FakeClock
from tests.integration.app import Answer, App, set_clock
from tests.integration.streams.runs import Events
from tests.integration.streams.streamed import Streamed, stream

PROMPT = "Write about the sea. [[fake: price 0.000123]]"
BUDGET = {"scope": "user", "daily_usd": "1", "monthly_usd": None}


@pytest.fixture
def clock(seeded: App) -> Iterator[FakeClock]:
    """The clock of executions, which passes a second each time a stream is idle; the network is idle all the time."""
    clock, before = FakeClock(datetime.now(UTC)), {}
    for function in ("ExecuteFunction", "ReconcileFunction"):
        before[function] = seeded.module(function).deps
        set_clock(seeded, clock, function)
    with closing(HttpUpstream(lambda name: seeded.fake.url, wait_seconds=0.01)) as upstream:
        module = seeded.module("ExecuteFunction")
        module.deps = replace(module.deps, upstream=upstream)
        yield clock
    for function, deps in before.items():
        seeded.module(function).deps = deps


class Canceller(Events):
    """A client that cancels its call when the first piece has arrived."""

    def __init__(self, app: App, clock: FakeClock) -> None:
        """Use this app."""
        super().__init__()
        self.app, self.clock = app, clock
        self.answers: list[Answer] = []

    def delta(self, delta: Delta) -> None:
        super().delta(delta)
        if not self.answers:
            (row,) = self.app.table("EXECUTIONS_TABLE")
            self.answers.append(self.app.call("POST", f"/api/executions/{row['execution_id']['S']}/cancel"))

    def idle(self) -> None:
        super().idle()
        self.clock.pass_seconds(1)


def cancelled(app: App, clock: FakeClock) -> Streamed:
    """Return a stream that was cancelled after two chunks, while the service was silent."""
    resource_id = app.resource()["resource_id"]
    app.fake.hold_stream(after=2)
    canceller = Canceller(app, clock)
    found = stream(app, resource_id, PROMPT, key="order-1", events=canceller)
    assert [answer.status for answer in canceller.answers] == [202]
    return found


def reconcile(app: App) -> dict[str, int]:
    """Run the reconciler once."""
    return dict(app.invoke("ReconcileFunction", {"detail-type": "Scheduled Event"}))


def row(app: App) -> dict[str, Any]:
    """Return the only execution, with the values of its attributes."""
    (found,) = app.table("EXECUTIONS_TABLE")
    return {name: next(iter(value.values())) for name, value in found.items()}


def counted(app: App, table: str, name: str) -> int:
    """Sum one counter over all rows."""
    return sum(int(each.get(name, {"N": "0"})["N"]) for each in app.table(table))


def test_cancelled_stream_ends_within_seconds_and_closes_its_connection(seeded: App, clock: FakeClock) -> None:
    found = cancelled(seeded, clock)
    assert (found.code, found.body["error"]["execution_id"]) == ("cancelled", row(seeded)["execution_id"])
    assert found.events.names.count("idle") <= 4
    assert seeded.fake.wait_for_hang_up()


def test_cancelled_stream_is_recorded_once_with_what_it_cost(seeded: App, clock: FakeClock) -> None:
    assert seeded.call("PUT", "/api/budgets", BUDGET).status == 200
    found = cancelled(seeded, clock)
    assert (row(seeded)["state"], row(seeded)["error_code"]) == ("UNKNOWN", "cancelled")
    assert row(seeded)["generation_id"] in seeded.fake.generation_ids
    assert counted(seeded, "USAGE_TABLE", "calls") == 0
    for pause in (21, 60, 60):
        clock.pass_seconds(pause)
        reconcile(seeded)
    closed = row(seeded)
    assert (closed["state"], closed["error_code"]) == ("FAILED", "cancelled")
    cost = int(closed["cost_nanousd"])
    assert cost > 0
    assert (counted(seeded, "USAGE_TABLE", "calls"), counted(seeded, "USAGE_TABLE", "cost_nanousd")) == (1, cost)
    assert counted(seeded, "RESOURCE_STATS_TABLE", "failures") == 0
    (spent,) = {
        (int(each["committed"]["N"]), int(each["spent"]["N"]))
        for each in seeded.table("LIMITS_TABLE")
        if each["name"]["S"].startswith("spend#")
    }
    assert spent == (cost, cost)
    shown = seeded.call("GET", f"/api/executions/{closed['execution_id']}").json
    assert (shown["status"], shown["error"]) == ("FAILED", found.body["error"])
    assert shown["cancel_requested_at"] == closed["cancel_requested_at"]


def test_repeat_of_a_cancelled_call_gets_the_same_error(seeded: App, clock: FakeClock) -> None:
    """As a stream and as a whole, before and after its cost is recorded; nothing is sent again."""
    found = cancelled(seeded, clock)
    body = {"resource_id": row(seeded)["resource_id"], "inputs": {"prompt": PROMPT}}
    for pause in (0, 21, 60, 60):
        clock.pass_seconds(pause)
        reconcile(seeded)
        whole = seeded.call("POST", "/api/execute", body, headers={"Idempotency-Key": "order-1"})
        again = stream(seeded, row(seeded)["resource_id"], PROMPT, key="order-1")
        assert (whole.status, whole.json, again.body) == (409, found.body, found.body)
    assert row(seeded)["state"] == "FAILED"
    assert len(seeded.fake.chat_requests) == 1


def test_cancellation_can_be_repeated_when_it_has_had_its_effect(seeded: App, clock: FakeClock) -> None:
    cancelled(seeded, clock)
    before = row(seeded)
    answer = seeded.call("POST", f"/api/executions/{before['execution_id']}/cancel")
    assert (answer.status, answer.json["error_code"], row(seeded)) == (202, "cancelled", before)
