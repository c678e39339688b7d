"""A reported cost far above the worst case is recorded only when a lookup repeats it."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from instant.domain.executions.receipt import is_plausible
from tests.fakes.clock import FakeClock
from tests.integration.app import GOOD_KEY, Answer, App
from tests.integration.budgets import Budgets, nanousd, set_clocks, spent

DEAR = "[[fake: price 5000]]"
"""5,000 USD for a call that costs less than a cent."""

IN_NANO = 5_000 * 10**9
FIRST, SECOND = 21, 120
"""Seconds until the first lookup, to which the service has no record yet, and until the second one."""


@pytest.fixture
def clock(seeded: App) -> Iterator[FakeClock]:
    clock = FakeClock(datetime(2026, 11, 27, 12, 0, tzinfo=UTC))
    with set_clocks(seeded, clock):
        yield clock


def call(app: App, resource_id: str, prompt: str = DEAR) -> Answer:
    """An idempotent call."""
    body = {"resource_id": resource_id, "inputs": {"prompt": prompt}}
    return app.call("POST", "/api/execute", body, headers={"Idempotency-Key": "k"})


def reconcile(app: App) -> dict[str, int]:
    """Run the reconciler once."""
    app.seconds = 300
    return dict(app.invoke("ReconcileFunction", {"detail-type": "Scheduled Event"}))


def looked_up(app: App, clock: FakeClock) -> dict[str, Any]:
    """The only execution after two lookups."""
    for seconds in (FIRST, SECOND):
        clock.pass_seconds(seconds)
        reconcile(app)
    (row,) = app.table("EXECUTIONS_TABLE")
    return row


@pytest.mark.parametrize(
    ("cost", "worst", "plausible"),
    [
        (None, 0, True),
        (10**9, 1, True),
        (10**9 + 1, 1, False),
        (100 * 10**8, 10**8, True),
        (100 * 10**8 + 1, 10**8, False),
    ],
)
def test_cost_is_plausible_up_to_a_hundred_times_the_worst_case_or_one_usd(
    cost: int | None, worst: int, plausible: bool
) -> None:
    assert is_plausible(cost, worst) is plausible


def test_implausible_cost_is_unknown_until_a_lookup_repeats_it(
    seeded: App, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    budgets, resource_id = Budgets(seeded), str(seeded.resource()["resource_id"])
    budgets.set("user", "1")
    first = call(seeded, resource_id)
    assert (first.status, first.json["usage"]["cost_usd"]) == (200, None)
    assert [record.levelname for record in caplog.records if "implausible" in record.message] == ["ERROR"]
    assert spent(budgets.one())[:2] == [0, budgets.worst(DEAR)]
    assert call(seeded, resource_id).text == first.text
    row = looked_up(seeded, clock)
    assert (row["state"]["S"], row["cost_nanousd"]["N"], "error_code" in row) == ("DONE", str(IN_NANO), False)
    assert spent(budgets.one()) == [IN_NANO, 0, 0]
    assert call(seeded, resource_id).text == first.text
    assert len(seeded.fake.chat_requests) == 1


def test_implausible_cost_is_replaced_by_the_one_that_is_looked_up(seeded: App, clock: FakeClock) -> None:
    call(seeded, str(seeded.resource()["resource_id"]))
    (generation_id,) = seeded.fake.generation_ids
    record = {"id": generation_id, "total_cost": 0.0001, "finish_reason": "stop"}
    seeded.fake.keep_generation(GOOD_KEY, json.dumps(record))
    row = looked_up(seeded, clock)
    assert (row["state"]["S"], row["cost_nanousd"]["N"]) == ("DONE", "100000")


def test_implausible_cost_that_is_only_looked_up_is_looked_up_twice(
    seeded: App, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    call(seeded, str(seeded.resource()["resource_id"]), f"[[fake: truncated]] {DEAR}")
    row = looked_up(seeded, clock)
    assert (row["state"]["S"], row["claimed_nanousd"]["N"]) == ("UNKNOWN", str(IN_NANO))
    assert "implausible" in caplog.text
    clock.pass_seconds(SECOND)
    assert reconcile(seeded) == {"done": 1}
    (row,) = seeded.table("EXECUTIONS_TABLE")
    assert row["cost_nanousd"]["N"] == str(IN_NANO)


def test_implausible_cost_that_nobody_repeats_stays_unknown(seeded: App, clock: FakeClock) -> None:
    seeded.fake.hold_generations()
    budgets = Budgets(seeded)
    budgets.set("user", None, "1")
    call(seeded, str(seeded.resource()["resource_id"]))
    clock.pass_seconds(86_400)
    assert reconcile(seeded) == {"lost": 1}
    assert spent(budgets.one(), "month")[0] == budgets.worst(DEAR)
    shown = seeded.call("GET", "/api/executions").json["data"][0]
    assert (shown["status"], shown["usage"]["cost_usd"], shown["error_code"]) == ("LOST", None, None)


def test_cost_above_the_recordable_maximum_is_unknown(seeded: App, clock: FakeClock) -> None:
    answer = call(seeded, str(seeded.resource()["resource_id"]), "[[fake: price 10000000000000]]")
    assert (answer.status, answer.json["usage"]["cost_usd"]) == (200, None)
    (row,) = seeded.table("EXECUTIONS_TABLE")
    assert row["state"]["S"] == "DONE"
    assert nanousd("1000000000000") == 10**21
