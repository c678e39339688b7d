"""The reconciler: each open execution is queried when due, recorded once, and eventually marked lost."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from instant.adapters.aws import client as aws
from instant.adapters.executions.ledger_rows import open_run_of
from instant.domain.clock import format_time, parse_time
from instant.domain.executions.execution import Opening, State
from instant.domain.executions.receipt import Receipt
from instant.domain.usage.budget import Budget, BudgetScope, Subject, holds
from tests.architecture.stack.failures import counts
from tests.fakes.aws_faults import failure, faults
from tests.fakes.aws_stores import kept_tables, set_back
from tests.fakes.builders import a_closing, an_opening
from tests.fakes.clock import FakeClock
from tests.fakes.deaths import Killed, killed_at, unacknowledged
from tests.integration.app import GOOD_KEY, App, set_clock
from tests.integration.aws_calls import operations, recorded
from tests.integration.ledgers import a_ledger

DAY = 86_400.0
MINUTE = 60.0


@pytest.fixture
def clock(seeded: App) -> Iterator[FakeClock]:
    """The clock of executions and of the reconciler; it starts at the current time."""
    clock, before = FakeClock(datetime.now(UTC)), {}
    for function in ("ExecuteFunction", "ReconcileFunction"):
        before[function] = seeded.module(function).deps
        set_clock(seeded, clock, function)
    yield clock
    for function, deps in before.items():
        seeded.module(function).deps = deps


def reconcile(app: App, seconds: float = 300) -> dict[str, int]:
    """Run the reconciler once."""
    app.seconds, before = seconds, app.seconds
    counts = app.invoke("ReconcileFunction", {"detail-type": "Scheduled Event"})
    app.seconds = before
    return dict(counts)


def row(app: App) -> dict[str, Any]:
    """Return the only execution."""
    (found,) = app.table("EXECUTIONS_TABLE")
    return found


def state(app: App) -> str:
    """Return the state of the only execution."""
    return str(row(app)["state"]["S"])


def left_unknown(app: App, directive: str = "truncated") -> str:
    """Execute a call whose answer broke off; return its generation id."""
    resource_id = app.resource()["resource_id"]
    answer = app.execute(resource_id, f"[[fake: {directive}]] [[fake: price 0.000123]]")
    assert answer.status in {502, 504}, answer.text
    assert state(app) == "UNKNOWN"
    return str(row(app).get("generation_id", {}).get("S"))


def counted(app: App, table: str, name: str) -> int:
    """Sum one counter over all rows."""
    return sum(int(each[name]["N"]) for each in app.table(table))


def test_reconciler_fetches_and_records_an_unknown_outcome(seeded: App, clock: FakeClock) -> None:
    generation_id = left_unknown(seeded)
    assert reconcile(seeded) == {}  # not due yet
    clock.pass_seconds(21)
    assert reconcile(seeded) == {"open": 1}  # the service has no record yet
    clock.pass_seconds(MINUTE)
    assert reconcile(seeded) == {"done": 1}
    found = row(seeded)
    assert (found["state"], found["cost_nanousd"]) == ({"S": "DONE"}, {"N": "123000"})
    assert found["generation_id"] == {"S": generation_id}
    assert found["reconciled_at"] == {"S": format_time(clock.now())}
    assert counted(seeded, "USAGE_TABLE", "calls") == 1
    assert counted(seeded, "USAGE_TABLE", "cost_nanousd") == 123_000
    assert counted(seeded, "USAGE_TABLE", "failures") == 1  # the caller got no answer
    clock.pass_seconds(2 * DAY)
    assert reconcile(seeded) == {}
    assert counted(seeded, "USAGE_TABLE", "calls") == 1


def test_cancelled_execution_is_recorded_as_failed_with_its_cost(seeded: App, clock: FakeClock) -> None:
    """The service answered in full, but the caller did not want the answer any more; the resource did not fail."""
    generation_id = left_unknown(seeded)
    closing = a_closing(State.UNKNOWN, receipt=Receipt(generation_id=generation_id), error_code="cancelled")
    a_ledger(seeded).mark_unknown(open_run_of(row(seeded)).opening, closing, format_time(clock.now()))
    clock.pass_seconds(21)
    assert reconcile(seeded) == {"open": 1}
    clock.pass_seconds(MINUTE)
    assert reconcile(seeded) == {"failed": 1}
    found = row(seeded)
    assert (found["state"], found["cost_nanousd"], found["error_code"]) == (
        {"S": "FAILED"}, {"N": "123000"}, {"S": "cancelled"},
    )  # fmt: skip
    assert counted(seeded, "USAGE_TABLE", "cost_nanousd") == 123_000
    assert counted(seeded, "RESOURCE_STATS_TABLE", "failures") == 0


def test_reconciled_execution_shows_its_cost_and_has_no_answer(seeded: App, clock: FakeClock) -> None:
    left_unknown(seeded)
    execution_id = row(seeded)["execution_id"]["S"]
    clock.pass_seconds(21)
    reconcile(seeded)
    clock.pass_seconds(MINUTE)
    reconcile(seeded)
    shown = seeded.call("GET", f"/api/executions/{execution_id}").json
    assert (shown["status"], shown["usage"]["cost_usd"], shown["output"]) == ("DONE", "0.000123", None)
    assert shown["error"]["code"] == "outcome_unknown"
    assert shown["reconciled_at"] == row(seeded)["reconciled_at"]["S"]


def test_reconciler_marks_a_call_without_generation_id_lost(
    seeded: App, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    left_unknown(seeded, "hang-up")
    clock.pass_seconds(21)
    assert reconcile(seeded) == {"lost": 1}
    assert [counts({"message": text}, "LostCount") for text in caplog.messages].count(True) == 1, "raises the alarm"
    found = row(seeded)
    assert "cost_nanousd" not in found
    assert counted(seeded, "USAGE_TABLE", "lost") == counted(seeded, "USAGE_TABLE", "unpriced") == 1
    assert counted(seeded, "USAGE_TABLE", "booked_nanousd") == int(found["reserved_nanousd"]["N"]) > 0


def test_reconciler_stops_asking_after_one_day(seeded: App, clock: FakeClock) -> None:
    left_unknown(seeded)
    seeded.fake.hold_generations()
    waits = []
    for _ in range(60):
        before = clock.now()
        clock.pass_seconds(max((parse_time(row(seeded)["due_at"]["S"]) - clock.now()).total_seconds(), 0))
        waits.append((clock.now() - before).total_seconds())
        if reconcile(seeded) == {"lost": 1}:
            break
    assert state(seeded) == "LOST"
    age = (clock.now() - parse_time(row(seeded)["created_at"]["S"])).total_seconds()
    assert DAY <= age <= DAY + 3_600
    assert waits[1:] == sorted(waits[1:])  # backoff
    assert max(waits) <= 3_600
    assert len(waits) < 45


@pytest.mark.parametrize("change", ["deleted", "disabled"])
def test_reconciler_does_not_use_a_disabled_or_deleted_key(seeded: App, clock: FakeClock, change: str) -> None:
    left_unknown(seeded)
    if change == "deleted":
        seeded.call("DELETE", "/api/user/integrations/openrouter")
    else:
        seeded.call("PATCH", "/api/user/integrations/openrouter", {"is_enabled": False})
    clock.pass_seconds(21)
    seeded.fake.forget_requests()
    assert reconcile(seeded) == {"open": 1}
    assert seeded.fake.requests == []
    clock.pass_seconds(DAY)
    assert reconcile(seeded) == {"lost": 1}


def test_reconciler_retries_after_a_rejected_key(seeded: App, clock: FakeClock) -> None:
    left_unknown(seeded)
    seeded.fake.revoked_keys.add(GOOD_KEY)
    clock.pass_seconds(21)
    assert reconcile(seeded) == {"open": 1}
    seeded.fake.revoked_keys.clear()
    clock.pass_seconds(MINUTE)
    reconcile(seeded)
    clock.pass_seconds(2 * MINUTE)
    reconcile(seeded)
    assert state(seeded) == "DONE"


def test_reconciler_retries_when_the_service_is_down(seeded: App, clock: FakeClock) -> None:
    left_unknown(seeded)
    seeded.fake.stop()
    clock.pass_seconds(21)
    assert reconcile(seeded) == {"failed": 1}
    assert state(seeded) == "UNKNOWN"
    assert parse_time(row(seeded)["due_at"]["S"]) > clock.now()


def test_repeat_returns_an_answer_whose_record_failed(seeded: App, clock: FakeClock) -> None:
    """Both before and after the reconciler runs."""
    resource_id = seeded.resource()["resource_id"]
    body, key = {"resource_id": resource_id, "inputs": {"prompt": "[[fake: price 0.000123]]"}}, {"Idempotency-Key": "k"}
    with faults("TransactWriteItems", failure("AccessDeniedException")):
        first = seeded.call("POST", "/api/execute", body, headers=key)
    answers = [first]
    for seconds in (0, seeded.seconds + 31, MINUTE, 2 * MINUTE):
        clock.pass_seconds(seconds)
        reconcile(seeded)
        answers.append(seeded.call("POST", "/api/execute", body, headers=key))
    assert {(answer.status, answer.text) for answer in answers} == {(200, first.text)}
    found = row(seeded)
    assert (found["state"], found["cost_nanousd"], "error_code" in found) == ({"S": "DONE"}, {"N": "123000"}, False)
    assert counted(seeded, "USAGE_TABLE", "successes") == len(seeded.fake.generation_ids) == 1


def test_reconciler_leaves_a_run_alone_while_its_lease_lasts(seeded: App, clock: FakeClock) -> None:
    """It was due, and was rescheduled after its run had renewed the lease."""
    ledger, now = a_ledger(seeded), clock.now()
    opening = an_opening(created_at=format_time(now), lease_expires_at=format_time(now))
    ledger.open(opening)
    ledger.mark_sent(opening)
    ledger.renew(opening, format_time(now + timedelta(seconds=90)))
    ledger.reschedule(opening, format_time(now + timedelta(seconds=30)))
    clock.pass_seconds(119)
    assert (reconcile(seeded), state(seeded)) == ({"open": 1}, "SENT")
    clock.pass_seconds(2)
    assert reconcile(seeded) == {"lost": 1}


def test_reconciler_skips_an_unreadable_row(seeded: App, clock: FakeClock, caplog: pytest.LogCaptureFixture) -> None:
    ledger, now = a_ledger(seeded), format_time(clock.now())
    for number in range(8):
        ledger.open(an_opening(f"exe_{number}", created_at=now, lease_expires_at=now))
    table = seeded.name("EXECUTIONS_TABLE")
    key = {"execution_id": {"S": "exe_3"}}
    aws.client("dynamodb").update_item(TableName=table, Key=key, UpdateExpression="REMOVE run_id")
    clock.pass_seconds(31)
    assert reconcile(seeded) == {"lost": 7}
    assert "an execution cannot be read" in caplog.text


@pytest.mark.parametrize("how", ["before", "after", "unacknowledged"])
def test_reconciler_converges_after_a_crash_at_any_step(seeded: App, clock: FakeClock, held: Opening, how: str) -> None:
    ledger = a_ledger(seeded)
    left_unknown(seeded)
    ledger.open(held)
    sent = replace(held, execution_id="exe_2", run_id="run_2")
    ledger.open(sent)
    ledger.mark_sent(sent)
    clock.pass_seconds(31)
    kept, ends = kept_tables(), list[object]()
    for call in range(1, 60):
        set_back(kept)
        death = unacknowledged(call) if how == "unacknowledged" else killed_at(call, after=how == "after")
        with death as calls, suppress(Killed):
            reconcile(seeded)
        if calls.made < call:
            break
        for _ in range(4):
            clock.pass_seconds(MINUTE + 1)
            if any("open_shard" in each for each in seeded.table("EXECUTIONS_TABLE")):
                reconcile(seeded)
        states = sorted(each["state"]["S"] for each in seeded.table("EXECUTIONS_TABLE"))
        ends.append((states, spending(seeded), counted(seeded, "USAGE_TABLE", "calls")))
    assert len(ends) > 15
    assert ends == [(["DONE", "LOST"], (700_000, 700_000), 2)] * len(ends)


def test_reconciler_finds_a_sent_execution_by_its_generation_id(seeded: App, clock: FakeClock) -> None:
    """The close failed: the row is SENT and has its generation id."""
    resource_id = seeded.resource()["resource_id"]
    with faults("TransactWriteItems", failure("AccessDeniedException")):
        assert seeded.execute(resource_id, "[[fake: price 0.000123]]").status == 200
    assert state(seeded) == "SENT"
    assert [row(seeded)["early_generation_id"]["S"]] == seeded.fake.generation_ids
    assert reconcile(seeded) == {}
    clock.pass_seconds(seeded.seconds + 31)
    assert reconcile(seeded) == {"open": 1}
    assert state(seeded) == "UNKNOWN"
    clock.pass_seconds(2 * MINUTE)
    assert reconcile(seeded) == {"done": 1}
    assert row(seeded)["cost_nanousd"] == {"N": "123000"}


def test_reconciler_marks_a_sent_execution_without_generation_id_lost(seeded: App, clock: FakeClock) -> None:
    resource_id, refused = seeded.resource()["resource_id"], failure("AccessDeniedException")
    executions = seeded.name("EXECUTIONS_TABLE")
    with faults("TransactWriteItems", refused), faults("UpdateItem", refused, where=executions):
        seeded.execute(resource_id)
    clock.pass_seconds(seeded.seconds + 31)
    assert reconcile(seeded) == {"lost": 1}


@pytest.fixture
def held(seeded: App, clock: FakeClock) -> Opening:
    """A call that reserves its worst case in a budget."""
    now = format_time(clock.now())
    budget = Budget(subject=Subject(BudgetScope.USER, "user_alice"), daily_nanousd=10**9)
    return an_opening(created_at=now, lease_expires_at=now, holds=holds([budget], clock.now(), 0))


def spending(app: App) -> tuple[int, int]:
    """Return what is held and spent in the only budget row."""
    (spend,) = [each for each in app.table("LIMITS_TABLE") if each["name"]["S"].startswith("spend#")]
    return int(spend["committed"]["N"]), int(spend.get("spent", {"N": "0"})["N"])


def test_reconciler_releases_the_hold_of_an_unsent_execution(seeded: App, clock: FakeClock, held: Opening) -> None:
    a_ledger(seeded).open(held)
    assert reconcile(seeded) == {}  # allows for clock skew
    clock.pass_seconds(31)
    assert spending(seeded) == (700_000, 0)
    assert reconcile(seeded) == {"none": 1}
    assert spending(seeded) == (0, 0)
    assert seeded.table("EXECUTIONS_TABLE") == []


def test_reconciler_spends_the_hold_of_a_lost_call(seeded: App, clock: FakeClock, held: Opening) -> None:
    ledger = a_ledger(seeded)
    ledger.open(held)
    ledger.mark_sent(held)
    ledger.mark_unknown(
        held, a_closing(State.UNKNOWN, receipt=Receipt(), error_code="outcome_unknown"), format_time(clock.now())
    )
    assert spending(seeded) == (700_000, 0)
    assert reconcile(seeded) == {"lost": 1}
    assert spending(seeded) == (700_000, 700_000)


def test_concurrent_reconcilers_record_once(seeded: App, clock: FakeClock, held: Opening) -> None:
    """Each reads the row before the other writes it."""
    ledger = a_ledger(seeded)
    ledger.open(held)
    ledger.mark_sent(held)
    clock.pass_seconds(31)
    recorder = seeded.module("ReconcileFunction").deps
    first, second = (list(recorder.open_runs.due(format_time(clock.now()))) for _ in range(2))
    closing = a_closing(State.LOST, receipt=Receipt(), reconciled=True)
    assert [ledger.close(run.opening, closing) for run in (*first, *second)] == [True, False]
    assert spending(seeded) == (700_000, 700_000)
    assert counted(seeded, "USAGE_TABLE", "lost") == 1


def test_reconciler_continues_after_a_failed_row(
    seeded: App, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    ledger = a_ledger(seeded)
    for number in range(3):
        now = format_time(clock.now())
        ledger.open(an_opening(f"exe_{number}", created_at=now, lease_expires_at=now))
    clock.pass_seconds(31)
    with faults("TransactWriteItems", failure("AccessDeniedException")):
        assert reconcile(seeded) == {"failed": 1, "lost": 2}
    assert "an execution was not reconciled" in caplog.text
    clock.pass_seconds(MINUTE)
    assert reconcile(seeded) == {"lost": 1}


def test_reconciler_stops_at_its_deadline_and_continues_next_time(seeded: App, clock: FakeClock) -> None:
    now = format_time(clock.now())
    a_ledger(seeded).open(an_opening(created_at=now, lease_expires_at=now))
    clock.pass_seconds(31)
    assert reconcile(seeded, seconds=19) == {"rescheduled": 1}
    assert reconcile(seeded) == {"lost": 1}


def test_reconciler_with_nothing_open_makes_eight_queries_and_no_write(seeded: App, clock: FakeClock) -> None:
    seeded.execute(seeded.resource()["resource_id"])
    clock.pass_seconds(DAY)
    with recorded("dynamodb", "kms") as calls:
        assert reconcile(seeded) == {}
    assert operations(calls) == ["Query"] * 8
