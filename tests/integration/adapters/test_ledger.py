"""The ledger's transitions: only those that exist, each once, whatever happens on the way."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from instant.adapters import aws
from instant.adapters.ledger import SHARDS, DynamoLedger
from instant.domain.execution import Closing, Opening, State, StoredAnswer
from instant.domain.receipt import Receipt
from tests.fakes.aws_faults import cancelled, failure, faults, lost_answer, lost_request
from tests.fakes.nouns import NOON, a_closing, an_opening
from tests.integration.house import House

SENT_AT = "2026-11-22T12:00:00.100000Z"
LATER = "2026-11-22T12:00:00.200000Z"


class Bench:
    """A ledger, and a look into its tables."""

    def __init__(self, house: House) -> None:
        """Use the house's tables."""
        self._tables = house.name("EXECUTIONS_TABLE"), house.name("RESOURCE_STATS_TABLE")
        self.ledger = DynamoLedger(*self._tables, days_kept=90)

    def row(self, opening: Opening) -> dict[str, Any] | None:
        """The execution's row."""
        key = {"execution_id": {"S": opening.execution_id}}
        reply = aws.client("dynamodb").get_item(TableName=self._tables[0], Key=key, ConsistentRead=True)
        return dict(reply["Item"]) if "Item" in reply else None

    def stats(self, opening: Opening) -> dict[str, dict[str, Any]]:
        """The resource's counters by bucket."""
        reply = aws.client("dynamodb").query(
            TableName=self._tables[1],
            KeyConditionExpression="resource_id = :r",
            ExpressionAttributeValues={":r": {"S": opening.resource_id}},
        )
        return {row["bucket"]["S"]: row for row in reply["Items"]}

    def calls(self, opening: Opening) -> int:
        """How many calls the totals count."""
        return sum(int(row["calls"]["N"]) for name, row in self.stats(opening).items() if name.startswith("total#"))

    def bring_to(self, opening: Opening, state: State | None) -> None:
        """Make an execution that is in `state`."""
        if state is not None:
            self.ledger.open(opening)
        if state not in {None, State.RESERVED}:
            self.ledger.sent(opening.execution_id, SENT_AT)
        if state is State.UNKNOWN:
            self.ledger.unknown(opening, unknown_end())
        if state in {State.DONE, State.FAILED}:
            self.ledger.close(opening, a_closing(state))


@pytest.fixture
def bench(cloud: House) -> Bench:
    return Bench(cloud)


@pytest.fixture
def opening(fresh: Callable[[str], str]) -> Opening:
    return an_opening(fresh("exe"), resource_id=fresh("res"))


def unknown_end() -> Closing:
    """How an execution ends whose outcome is not known."""
    return a_closing(State.UNKNOWN, receipt=Receipt(), error_code="outcome_unknown")


STEPS: dict[str, Callable[[DynamoLedger, Opening], None]] = {
    "open": lambda ledger, opening: ledger.open(replace(opening, created_at=LATER)),
    "sent": lambda ledger, opening: ledger.sent(opening.execution_id, LATER),
    "release": lambda ledger, opening: ledger.release(opening.execution_id, LATER),
    "done": lambda ledger, opening: ledger.close(opening, a_closing(State.DONE, latency_ms=777)),
    "failed": lambda ledger, opening: ledger.close(opening, a_closing(State.FAILED, latency_ms=777)),
    "unknown": lambda ledger, opening: ledger.unknown(opening, unknown_end()),
}
ALLOWED: dict[tuple[State | None, str], State | None] = {
    (None, "open"): State.RESERVED,
    (State.RESERVED, "sent"): State.SENT,
    (State.RESERVED, "release"): None,
    (State.SENT, "done"): State.DONE,
    (State.SENT, "failed"): State.FAILED,
    (State.SENT, "unknown"): State.UNKNOWN,
}
STATES: tuple[State | None, ...] = (None, *State)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("state", STATES, ids=str)
def test_each_step_is_taken_from_its_own_state_alone(
    bench: Bench, opening: Opening, state: State | None, step: str
) -> None:
    bench.bring_to(opening, state)
    row, stats = bench.row(opening), bench.stats(opening)
    if (state, step) in ALLOWED:
        STEPS[step](bench.ledger, opening)
        after, target = bench.row(opening), ALLOWED[state, step]
        assert (after and after["state"]["S"]) == target
        return
    if step in {"done", "failed"}:
        STEPS[step](bench.ledger, opening)
    else:
        with pytest.raises(ClientError, match="ConditionalCheckFailed"):
            STEPS[step](bench.ledger, opening)
    assert bench.row(opening) == row
    assert bench.stats(opening) == stats


def test_an_opening_is_written_down_whole(bench: Bench, opening: Opening) -> None:
    bench.ledger.open(opening)
    row = bench.row(opening)
    assert row is not None
    assert row["state"] == {"S": "RESERVED"}
    assert row["reserved_nanousd"] == {"N": "700000"}
    assert row["lease_expires_at"] == {"S": opening.lease_expires_at}
    assert (row["user_id"], row["payer_id"]) == ({"S": "user_alice"}, {"S": "user_alice"})
    assert row["expires_at"] == {"N": str(1_795_348_800 + 90 * 86_400)}


def test_the_end_is_written_down_whole(bench: Bench, opening: Opening) -> None:
    bench.bring_to(opening, State.DONE)
    row = bench.row(opening)
    assert row is not None
    assert row["cost_nanousd"] == {"N": "5920"}
    assert row["generation_id"] == {"S": "gen-1"}
    assert row["model_served"] == {"S": "meadow/lark-mini-2026"}
    assert row["answer"] == {"S": '{"success":true}'}
    assert row["sent_at"] == {"S": SENT_AT}
    assert "error_code" not in row
    assert "answer_key" not in row


def test_an_unknown_cost_is_left_out_and_not_written_as_nothing(bench: Bench, opening: Opening) -> None:
    bench.bring_to(opening, State.SENT)
    bench.ledger.close(opening, a_closing(State.FAILED, receipt=Receipt(), answer=StoredAnswer(object_key="media/1")))
    row = bench.row(opening)
    assert row is not None
    assert "cost_nanousd" not in row
    assert row["answer_key"] == {"S": "media/1"}
    assert [int(bucket["cost_nanousd"]["N"]) for bucket in bench.stats(opening).values()] == [0, 0]


def test_a_close_counts_in_the_day_and_in_the_total(bench: Bench, opening: Opening) -> None:
    bench.bring_to(opening, State.DONE)
    buckets = bench.stats(opening)
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


@pytest.mark.parametrize("first", [State.DONE, State.FAILED])
@pytest.mark.parametrize("second", [State.DONE, State.FAILED])
def test_a_second_close_changes_nothing(bench: Bench, opening: Opening, first: State, second: State) -> None:
    bench.bring_to(opening, first)
    row, stats = bench.row(opening), bench.stats(opening)
    bench.ledger.close(opening, a_closing(second, latency_ms=777))
    assert (bench.row(opening), bench.stats(opening)) == (row, stats)


def test_what_is_not_known_is_not_counted(bench: Bench, opening: Opening) -> None:
    bench.bring_to(opening, State.UNKNOWN)
    assert bench.stats(opening) == {}


def test_a_close_whose_answer_is_lost_counts_once(bench: Bench, opening: Opening) -> None:
    bench.bring_to(opening, State.SENT)
    with faults("TransactWriteItems", lost_answer) as calls:
        bench.ledger.close(opening, a_closing())
    assert len(calls.bodies) == 2
    assert bench.calls(opening) == 1


def test_a_close_that_never_arrived_is_repeated(bench: Bench, opening: Opening) -> None:
    bench.bring_to(opening, State.SENT)
    with faults("TransactWriteItems", lost_request):
        bench.ledger.close(opening, a_closing())
    assert bench.calls(opening) == 1


def test_a_sent_whose_answer_is_lost_is_sent(bench: Bench, opening: Opening) -> None:
    bench.bring_to(opening, State.RESERVED)
    with faults("UpdateItem", lost_answer) as calls:
        bench.ledger.sent(opening.execution_id, SENT_AT)
    assert len(calls.bodies) == 2
    row = bench.row(opening)
    assert row is not None
    assert row["state"] == {"S": "SENT"}


def test_an_opening_whose_answer_is_lost_is_opened_once(bench: Bench, opening: Opening) -> None:
    with faults("PutItem", lost_answer) as calls:
        bench.ledger.open(opening)
    assert len(calls.bodies) == 2
    row = bench.row(opening)
    assert row is not None
    assert (row["state"], row["created_at"]) == ({"S": "RESERVED"}, {"S": opening.created_at})


@pytest.mark.parametrize("state", [State.SENT, State.DONE, State.FAILED, State.UNKNOWN])
def test_what_has_gone_on_cannot_be_opened_again_even_by_a_repeat(bench: Bench, opening: Opening, state: State) -> None:
    bench.bring_to(opening, state)
    row = bench.row(opening)
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        bench.ledger.open(opening)
    assert bench.row(opening) == row


def test_a_mark_of_the_same_moment_is_released_since_only_its_answer_was_lost(bench: Bench, opening: Opening) -> None:
    bench.bring_to(opening, State.SENT)
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        bench.ledger.release(opening.execution_id, LATER)
    bench.ledger.release(opening.execution_id, SENT_AT)
    assert bench.row(opening) is None


@pytest.mark.parametrize("state", [State.DONE, State.FAILED, State.UNKNOWN])
def test_an_end_is_never_released(bench: Bench, opening: Opening, state: State) -> None:
    bench.bring_to(opening, state)
    row = bench.row(opening)
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        bench.ledger.release(opening.execution_id, SENT_AT)
    assert bench.row(opening) == row


@pytest.mark.parametrize(
    "reasons",
    [("TransactionConflict", "None", "None"), ("None", "TransactionConflict", "None"),
     ("None", "None", "ThrottlingError"), ("None", "ProvisionedThroughputExceeded", "None")],
)  # fmt: skip
def test_what_passes_is_waited_for(bench: Bench, opening: Opening, reasons: tuple[str, ...]) -> None:
    bench.bring_to(opening, State.SENT)
    with faults("TransactWriteItems", cancelled(*reasons), cancelled(*reasons)) as calls:
        bench.ledger.close(opening, a_closing())
    assert len(calls.bodies) == 3
    assert bench.calls(opening) == 1


def test_a_conflict_without_end_is_told_and_leaves_the_row_open(bench: Bench, opening: Opening) -> None:
    bench.bring_to(opening, State.SENT)
    for_ever = [cancelled("None", "TransactionConflict", "None")] * 20
    with (
        faults("TransactWriteItems", *for_ever) as calls,
        pytest.raises(ClientError, match="TransactionCanceled"),
    ):
        bench.ledger.close(opening, a_closing())
    assert len(calls.bodies) == 6
    assert bench.stats(opening) == {}
    bench.ledger.close(opening, a_closing())
    assert bench.calls(opening) == 1


@pytest.mark.parametrize(
    "fault",
    [cancelled("None", "ValidationError", "None"), failure("ValidationException")],
    ids=["in the transaction", "of the request"],
)
def test_what_does_not_pass_is_told_at_once(bench: Bench, opening: Opening, fault: Any) -> None:
    bench.bring_to(opening, State.SENT)
    with faults("TransactWriteItems", fault) as calls, pytest.raises(ClientError):
        bench.ledger.close(opening, a_closing())
    assert len(calls.bodies) == 1


def test_a_write_sends_each_condition_it_depends_on(bench: Bench, opening: Opening) -> None:
    bench.bring_to(opening, State.SENT)
    with faults("TransactWriteItems") as calls:
        bench.ledger.close(opening, a_closing())
    (body,) = calls.bodies
    end, day, total = (write["Update"] for write in body["TransactItems"])
    assert end["ConditionExpression"] == "#state = :sent"
    assert day["UpdateExpression"].startswith("ADD calls :one")
    assert total["UpdateExpression"].startswith("ADD calls :one")


def test_executions_of_one_resource_spread_over_the_shards(bench: Bench, opening: Opening) -> None:
    for number in range(40):
        one = replace(opening, execution_id=f"{opening.execution_id}_{number}", created_at=NOON)
        bench.bring_to(one, State.DONE)
    totals = [name for name in bench.stats(opening) if name.startswith("total#")]
    assert len(totals) > SHARDS // 2
    assert bench.calls(opening) == 40
