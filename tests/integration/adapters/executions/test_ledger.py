"""The ledger in DynamoDB: the contents of its rows, also after faults.

`test_ledger_contract.py` has the table of transitions.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError

from instant.adapters.aws import client as aws
from instant.adapters.aws.transactions import TransactionContended
from instant.adapters.executions.ledger import DynamoLedger
from instant.adapters.executions.ledger_rows import SHARDS
from instant.adapters.executions.open_runs import DynamoOpenRuns
from instant.domain.clock import parse_time
from instant.domain.errors import BudgetExhausted, LimitsUnavailable
from instant.domain.executions.execution import Closing, Opening, State, StoredAnswer
from instant.domain.executions.receipt import Receipt
from instant.domain.usage.budget import Budget, BudgetScope, Subject, holds
from tests.fakes.aws_faults import Process, Reply, cancelled, failure, faults, lost_answer, lost_request
from tests.fakes.builders import NOON, a_closing, an_opening
from tests.integration.app import App
from tests.integration.aws_calls import recorded
from tests.integration.ledgers import a_ledger

LATER = "2026-11-22T12:30:00.000000Z"


class Recorder:
    """A ledger and the contents of its tables."""

    def __init__(self, app: App) -> None:
        """Use the tables of the app."""
        self._app = app
        self.ledger = a_ledger(app)

    def row(self, opening: Opening) -> dict[str, Any] | None:
        """Return the execution's row, or None."""
        key = {"execution_id": {"S": opening.execution_id}}
        table = self._app.name("EXECUTIONS_TABLE")
        reply = aws.client("dynamodb").get_item(TableName=table, Key=key, ConsistentRead=True)
        return dict(reply["Item"]) if "Item" in reply else None

    def existing_row(self, opening: Opening) -> dict[str, Any]:
        """Return the execution's row, which must exist."""
        row = self.row(opening)
        assert row is not None
        return row

    def stats(self, opening: Opening) -> dict[str, dict[str, Any]]:
        """Return the resource's counters by bucket."""
        return {row["bucket"]["S"]: row for row in self._query("RESOURCE_STATS_TABLE", resource_id=opening.resource_id)}

    def usage(self, opening: Opening) -> dict[str, dict[str, Any]]:
        """Return the user's counters by bucket."""
        return {row["bucket"]["S"]: row for row in self._query("USAGE_TABLE", user_id=opening.user_id)}

    def calls(self, opening: Opening) -> int:
        """Return the number of calls in the totals."""
        return sum(int(row["calls"]["N"]) for name, row in self.stats(opening).items() if name.startswith("total#"))

    def held(self, opening: Opening) -> list[tuple[int, int]]:
        """Return the held and spent amounts of the budget rows in which the opening has holds."""
        rows = [
            aws.client("dynamodb").get_item(
                TableName=self._app.name("LIMITS_TABLE"), Key={"name": {"S": hold.name}}, ConsistentRead=True
            )["Item"]
            for hold in opening.holds
        ]
        return [(int(row["committed"]["N"]), int(row.get("spent", {"N": "0"})["N"])) for row in rows]

    def bring_to(self, opening: Opening, state: State | None) -> None:
        """Move an execution to `state`."""
        if state is not None:
            self.ledger.open(opening)
        if state not in {None, State.RESERVED}:
            self.ledger.mark_sent(opening)
        if state is State.UNKNOWN:
            self.ledger.mark_unknown(opening, unknown_closing(), LATER)
        if state in {State.DONE, State.FAILED, State.LOST}:
            self.ledger.close(opening, a_closing(state))

    def _query(self, variable: str, **key: str) -> list[dict[str, Any]]:
        ((name, value),) = key.items()
        reply = aws.client("dynamodb").query(
            TableName=self._app.name(variable),
            KeyConditionExpression=f"{name} = :key",
            ExpressionAttributeValues={":key": {"S": value}},
        )
        return list(reply["Items"])


@pytest.fixture
def recorder(cloud: App) -> Recorder:
    return Recorder(cloud)


@pytest.fixture
def opening(fresh: Callable[[str], str]) -> Opening:
    """A call with an idempotency key, which starts as RESERVED."""
    return an_opening(fresh("exe"), resource_id=fresh("res"), user_id=fresh("user"), fingerprint="f" * 64)


@pytest.fixture
def held(opening: Opening, fresh: Callable[[str], str]) -> Opening:
    """The same call with holds in two budgets."""
    budget = Budget(subject=Subject(BudgetScope.USER, fresh("u")), daily_nanousd=1_000_000, monthly_nanousd=2_000_000)
    return replace(opening, holds=holds([budget], parse_time(NOON), 0))


def unknown_closing() -> Closing:
    """Return the closing of an execution with an unknown outcome."""
    return a_closing(State.UNKNOWN, receipt=Receipt(), error_code="outcome_unknown")


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (State.RESERVED, (700_000, 0)),
        (State.SENT, (700_000, 0)),
        (State.UNKNOWN, (700_000, 0)),
        (State.DONE, (5_920, 5_920)),
        (State.FAILED, (5_920, 5_920)),
    ],
)
def test_worst_case_is_held_until_the_cost_is_known(
    recorder: Recorder, held: Opening, state: State, expected: tuple[int, int]
) -> None:
    recorder.bring_to(held, state)
    assert recorder.held(held) == [expected, expected]


@pytest.mark.parametrize("state", [State.DONE, State.FAILED, State.LOST])
def test_unknown_cost_is_recorded_as_the_worst_case(recorder: Recorder, held: Opening, state: State) -> None:
    recorder.bring_to(held, State.UNKNOWN)
    recorder.ledger.close(held, a_closing(state, receipt=Receipt(), reconciled=True))
    assert recorder.held(held) == [(700_000, 700_000)] * 2


RELEASES: dict[str, Callable[[DynamoLedger, Opening], object]] = {
    "release": lambda ledger, opening: ledger.release(opening),
    "reclaim": lambda ledger, opening: ledger.reclaim(opening.execution_id, LATER),
}


@pytest.mark.parametrize("step", RELEASES)
def test_unsent_execution_releases_its_hold(recorder: Recorder, held: Opening, step: str) -> None:
    recorder.bring_to(held, State.RESERVED)
    RELEASES[step](recorder.ledger, held)
    assert recorder.held(held) == [(0, 0)] * 2
    RELEASES[step](recorder.ledger, held)
    assert recorder.held(held) == [(0, 0)] * 2


def test_open_over_budget_writes_nothing(recorder: Recorder, held: Opening) -> None:
    recorder.bring_to(held, State.SENT)
    second = replace(held, execution_id=f"{held.execution_id}_2", run_id="run_2")
    with pytest.raises(BudgetExhausted) as caught:
        recorder.ledger.open(second)
    assert caught.value.details == {"scope": "user", "period": "day"}
    assert caught.value.retry_after == 12 * 3_600
    assert recorder.row(second) is None
    assert recorder.held(held) == [(700_000, 0)] * 2


def test_open_raises_on_endless_contention_and_holds_nothing(
    recorder: Recorder, held: Opening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("instant.adapters.aws.transactions.time.sleep", lambda seconds: None)
    conflict = cancelled("None", "TransactionConflict", "None")
    with faults("TransactWriteItems", *[conflict] * 50), pytest.raises(LimitsUnavailable) as caught:
        recorder.ledger.open(held)
    assert (caught.value.retryable, caught.value.retry_after) == (True, 1)
    assert recorder.row(held) is None


def test_open_with_a_lost_acknowledgement_reserves_once(recorder: Recorder, held: Opening) -> None:
    with faults("TransactWriteItems", lost_answer) as calls:
        assert recorder.ledger.open(held) is None
    assert len(calls.bodies) == 2
    assert recorder.held(held) == [(700_000, 0)] * 2


def test_reclaim_before_the_lease_ends_is_rejected(recorder: Recorder, held: Opening) -> None:
    recorder.bring_to(held, State.RESERVED)
    assert not recorder.ledger.reclaim(held.execution_id, held.lease_expires_at)
    assert recorder.existing_row(held)["state"] == {"S": "RESERVED"}
    assert recorder.ledger.reclaim(held.execution_id, LATER)
    assert recorder.row(held) is None


def test_reclaim_does_not_delete_an_execution_whose_lease_was_renewed_meanwhile(
    recorder: Recorder, held: Opening
) -> None:
    def renewed_after_reading(request: AWSRequest, process: Process) -> Reply | None:
        reply = process()
        recorder.ledger.renew(held, "2026-11-22T13:00:00.000000Z")
        return reply

    recorder.bring_to(held, State.RESERVED)
    with faults("GetItem", renewed_after_reading):
        assert not recorder.ledger.reclaim(held.execution_id, LATER)
    recorder.ledger.mark_sent(held)


def test_second_open_returns_the_first_opening(recorder: Recorder, opening: Opening) -> None:
    recorder.bring_to(opening, State.DONE)
    row = recorder.row(opening)
    found = recorder.ledger.open(replace(opening, run_id="run_of_another"))
    assert found is not None
    assert (found.state, found.fingerprint, found.answer.text) == (State.DONE, "f" * 64, '{"success":true}')
    assert recorder.row(opening) == row


def test_plain_call_opens_as_sent_in_one_write(recorder: Recorder, opening: Opening) -> None:
    plain = replace(opening, fingerprint=None)
    with faults("PutItem") as calls:
        recorder.ledger.open(plain)
    assert len(calls.bodies) == 1
    assert recorder.existing_row(plain)["state"] == {"S": "SENT"}


@pytest.mark.parametrize("state", [State.RESERVED, State.SENT, State.UNKNOWN])
def test_open_executions_are_listed_when_due(cloud: App, recorder: Recorder, held: Opening, state: State) -> None:
    recorder.bring_to(held, state)
    runs = DynamoOpenRuns(cloud.name("EXECUTIONS_TABLE"))
    before, after = ("2026-11-22T12:02:29.999999Z", "2026-11-22T12:02:30.000000Z")
    if state is State.UNKNOWN:
        before, after = "2026-11-22T12:29:59.999999Z", LATER
    assert held not in [run.opening for run in runs.due(before)]
    (found,) = [run for run in runs.due(after) if run.opening == held]
    assert found.state is state
    recorder.ledger.reschedule(held, "2026-11-22T13:00:00.000000Z")
    assert held not in [run.opening for run in runs.due(LATER)]


@pytest.mark.parametrize("state", [State.DONE, State.FAILED, State.LOST])
def test_closed_executions_are_not_listed(cloud: App, recorder: Recorder, held: Opening, state: State) -> None:
    recorder.bring_to(held, state)
    runs = DynamoOpenRuns(cloud.name("EXECUTIONS_TABLE"))
    assert held not in [run.opening for run in runs.due("2030-01-01T00:00:00.000000Z")]


def test_generation_id_recorded_early_is_stored(cloud: App, recorder: Recorder, held: Opening) -> None:
    recorder.bring_to(held, State.SENT)
    recorder.ledger.record_generation_id(held, "gen-early")
    runs = DynamoOpenRuns(cloud.name("EXECUTIONS_TABLE"))
    assert [run.generation_id for run in runs.due(LATER) if run.opening == held] == ["gen-early"]


def test_open_writes_every_field(recorder: Recorder, opening: Opening) -> None:
    recorder.ledger.open(opening)
    row = recorder.existing_row(opening)
    assert row["state"] == {"S": "RESERVED"}
    assert row["reserved_nanousd"] == {"N": "700000"}
    assert row["lease_expires_at"] == {"S": opening.lease_expires_at}
    assert (row["user_id"], row["payer_id"]) == ({"S": opening.user_id}, {"S": "user_alice"})
    assert row["expires_at"] == {"N": str(1_795_348_800 + 90 * 86_400)}


def test_close_writes_every_field(recorder: Recorder, opening: Opening) -> None:
    recorder.bring_to(opening, State.DONE)
    row = recorder.existing_row(opening)
    assert row["cost_nanousd"] == {"N": "5920"}
    assert row["generation_id"] == {"S": "gen-1"}
    assert row["model_served"] == {"S": "meadow/lark-mini-2026"}
    assert row["answer"] == {"S": '{"success":true}'}
    assert not {"open_shard", "due_at"} & row.keys()
    assert "error_code" not in row
    assert "answer_key" not in row


def test_facts_of_a_delivered_answer_with_a_doubtful_cost_are_kept(recorder: Recorder, opening: Opening) -> None:
    recorder.bring_to(opening, State.SENT)
    doubtful = a_closing(State.UNKNOWN, error_code=None, computed_nanousd=5_000, claimed_nanousd=9_000_000)
    recorder.ledger.mark_unknown(opening, doubtful, LATER)
    row = recorder.existing_row(opening)
    facts = {name: row[name]["N"] for name in ("computed_nanousd", "claimed_nanousd", "delivered")}
    assert facts == {"computed_nanousd": "5000", "claimed_nanousd": "9000000", "delivered": "1"}


def test_reads_of_a_row_in_transition_are_consistent(recorder: Recorder, opening: Opening) -> None:
    recorder.ledger.open(opening)
    with recorded("dynamodb") as calls:
        assert recorder.ledger.open(opening) is None
        assert recorder.ledger.reclaim(opening.execution_id, NOON) is False
    reads = [call.parameters for call in calls if call.operation == "GetItem"]
    assert [read["ConsistentRead"] for read in reads] == [True, True]


def test_unknown_cost_is_omitted_and_not_written_as_zero(recorder: Recorder, opening: Opening) -> None:
    recorder.bring_to(opening, State.SENT)
    recorder.ledger.close(
        opening, a_closing(State.FAILED, receipt=Receipt(), answer=StoredAnswer(object_key="media/1"))
    )
    row = recorder.existing_row(opening)
    assert "cost_nanousd" not in row
    assert row["answer_key"] == {"S": "media/1"}
    assert [int(bucket["cost_nanousd"]["N"]) for bucket in recorder.stats(opening).values()] == [0, 0]


def test_close_counts_in_the_day_and_the_total(recorder: Recorder, opening: Opening) -> None:
    recorder.bring_to(opening, State.DONE)
    buckets = recorder.stats(opening)
    day, total = sorted(buckets)
    shard = day.split("#")[2]
    assert 0 <= int(shard) < SHARDS
    assert (day, total) == (f"day#2026-11-22#{shard}", f"total#{shard}")
    for bucket in buckets.values():
        counted = {name: bucket[name]["N"] for name in ("calls", "successes", "failures", "cost_nanousd")}
        assert counted == {"calls": "1", "successes": "1", "failures": "0", "cost_nanousd": "5920"}
        assert bucket["last_called_at"] == {"S": "2026-11-22T12:00:00.500000Z"}
    assert buckets[day]["expires_at"] == {"N": str(1_795_348_800 + 35 * 86_400)}
    assert "expires_at" not in buckets[total]


def test_unknown_values_are_not_counted(recorder: Recorder, opening: Opening) -> None:
    recorder.bring_to(opening, State.UNKNOWN)
    assert recorder.stats(opening) == {}


def test_close_with_a_lost_acknowledgement_counts_once(recorder: Recorder, opening: Opening) -> None:
    recorder.bring_to(opening, State.SENT)
    with faults("TransactWriteItems", lost_answer) as calls:
        recorder.ledger.close(opening, a_closing())
    assert len(calls.bodies) == 2
    assert recorder.calls(opening) == 1


def test_close_that_did_not_arrive_is_retried(recorder: Recorder, opening: Opening) -> None:
    recorder.bring_to(opening, State.SENT)
    with faults("TransactWriteItems", lost_request):
        recorder.ledger.close(opening, a_closing())
    assert recorder.calls(opening) == 1


def test_mark_sent_with_a_lost_acknowledgement_succeeds(recorder: Recorder, opening: Opening) -> None:
    recorder.bring_to(opening, State.RESERVED)
    with faults("UpdateItem", lost_answer) as calls:
        recorder.ledger.mark_sent(opening)
    assert len(calls.bodies) == 2
    assert recorder.existing_row(opening)["state"] == {"S": "SENT"}


def test_open_with_a_lost_acknowledgement_opens_once(recorder: Recorder, opening: Opening) -> None:
    with faults("PutItem", lost_answer) as calls:
        assert recorder.ledger.open(opening) is None
    assert len(calls.bodies) == 2
    row = recorder.existing_row(opening)
    assert (row["state"], row["created_at"]) == ({"S": "RESERVED"}, {"S": opening.created_at})


def test_daily_usage_is_summed_by_resource_model_and_key(recorder: Recorder, opening: Opening) -> None:
    keyed = replace(opening, api_key_id="key_1")
    recorder.bring_to(keyed, State.SENT)
    recorder.ledger.close(keyed, a_closing(State.DONE, computed_nanousd=5_900))
    ((bucket, row),) = recorder.usage(keyed).items()
    day, _, resource_id, model, key_id = bucket.split("#")
    assert (day, resource_id, model, key_id) == ("2026-11-22", keyed.resource_id, keyed.model, "key_1")
    counted = {name: int(value["N"]) for name, value in row.items() if "N" in value and name != "expires_at"}
    assert counted == {
        "calls": 1,
        "successes": 1,
        "failures": 0,
        "lost": 0,
        "unpriced": 0,
        "prompt_tokens": 12,
        "completion_tokens": 34,
        "latency_ms": 500,
        "timed": 1,
        "cost_nanousd": 5_920,
        "booked_nanousd": 5_920,
        "billed_nanousd": 5_920,
        "computed_nanousd": 5_900,
    }


@pytest.mark.parametrize(
    "reasons",
    [("TransactionConflict", "None", "None", "None"), ("None", "TransactionConflict", "None", "None"),
     ("None", "None", "ThrottlingError", "None"), ("None", "None", "None", "ProvisionedThroughputExceeded")],
)  # fmt: skip
def test_transient_failures_are_retried(recorder: Recorder, opening: Opening, reasons: tuple[str, ...]) -> None:
    recorder.bring_to(opening, State.SENT)
    with faults("TransactWriteItems", cancelled(*reasons), cancelled(*reasons)) as calls:
        recorder.ledger.close(opening, a_closing())
    assert len(calls.bodies) == 3
    assert recorder.calls(opening) == 1


def test_endless_conflict_raises_and_leaves_the_execution_open(
    recorder: Recorder, opening: Opening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("instant.adapters.aws.transactions.time.sleep", lambda seconds: None)
    recorder.bring_to(opening, State.SENT)
    conflicts = [cancelled("None", "TransactionConflict", "None")] * 20
    with (
        faults("TransactWriteItems", *conflicts) as calls,
        pytest.raises(TransactionContended),
    ):
        recorder.ledger.close(opening, a_closing())
    assert len(calls.bodies) == 16
    assert recorder.stats(opening) == {}
    recorder.ledger.close(opening, a_closing())
    assert recorder.calls(opening) == 1


@pytest.mark.parametrize(
    "fault",
    [cancelled("None", "ValidationError", "None"), failure("ValidationException")],
    ids=["in the transaction", "of the request"],
)
def test_permanent_failures_are_not_retried(recorder: Recorder, opening: Opening, fault: Any) -> None:
    recorder.bring_to(opening, State.SENT)
    with faults("TransactWriteItems", fault) as calls, pytest.raises(ClientError):
        recorder.ledger.close(opening, a_closing())
    assert len(calls.bodies) == 1


def test_writes_include_every_condition_they_depend_on(recorder: Recorder, opening: Opening) -> None:
    recorder.bring_to(opening, State.SENT)
    with faults("TransactWriteItems") as calls:
        recorder.ledger.close(opening, a_closing())
    (body,) = calls.bodies
    end, day, total, usage = (write["Update"] for write in body["TransactItems"])
    assert end["ConditionExpression"] == "run_id = :run AND #state IN (:sent, :unknown)"
    assert usage["UpdateExpression"].startswith("ADD calls :calls")
    assert day["UpdateExpression"].startswith("ADD calls :calls")
    assert total["UpdateExpression"].startswith("ADD calls :calls")


def test_executions_of_a_resource_spread_over_the_shards(recorder: Recorder, opening: Opening) -> None:
    for number in range(40):
        one = replace(opening, execution_id=f"{opening.execution_id}_{number}")
        recorder.bring_to(one, State.DONE)
    totals = [name for name in recorder.stats(opening) if name.startswith("total#")]
    assert len(totals) > SHARDS // 2
    assert recorder.calls(opening) == 40
