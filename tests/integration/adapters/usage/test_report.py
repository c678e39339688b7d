"""The usage report equals what the ledger wrote, for each end of an execution."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from instant.adapters.aws import client as aws
from instant.adapters.executions.ledger import DynamoLedger
from instant.adapters.usage.report import DynamoUsageStore
from instant.domain.executions.execution import Closing, Opening, State
from instant.domain.executions.receipt import Receipt
from instant.domain.usage.report import Grouping, Span, UsageRow, report
from tests.fakes.builders import a_closing, a_receipt, an_opening
from tests.integration.app import App
from tests.integration.aws_calls import operations, recorded
from tests.integration.ledgers import a_ledger

DAY, NEXT = date(2026, 11, 22), date(2026, 11, 23)
LATE = "2026-11-23T11:00:00.000000Z"


@pytest.fixture
def ledger(cloud: App) -> DynamoLedger:
    return a_ledger(cloud)


@pytest.fixture
def store(cloud: App) -> DynamoUsageStore:
    return DynamoUsageStore(cloud.name("USAGE_TABLE"))


class Caller:
    """A new user and the user's executions."""

    def __init__(self, ledger: DynamoLedger, fresh: Callable[[str], str]) -> None:
        """Start without executions."""
        self.ledger, self.fresh, self.user_id = ledger, fresh, fresh("user")

    def opened(self, **more: Any) -> Opening:
        """Record an execution that was sent."""
        facts = {"user_id": self.user_id, "run_id": "run_1", "service": "openrouter"} | more
        opening = an_opening(self.fresh("exe"), **facts)
        assert self.ledger.open(opening) is None
        return opening

    def record(self, state: State = State.DONE, closing: dict[str, Any] | None = None, **more: Any) -> None:
        """Record an execution that ended."""
        assert self.ledger.close(self.opened(**more), a_closing(state, **(closing or {})))

    def unknown(self, **more: Any) -> Opening:
        """Record an execution with an unknown outcome."""
        opening, at = self.opened(**more), "2026-11-22T12:02:00.000000Z"
        receipt = Receipt(generation_id="gen-1")
        self.ledger.mark_unknown(
            opening, a_closing(State.UNKNOWN, receipt=receipt, error_code="outcome_unknown", latency_ms=9_000), at
        )
        return opening


@pytest.fixture
def caller(ledger: DynamoLedger, fresh: Callable[[str], str]) -> Caller:
    return Caller(ledger, fresh)


def late_closing(state: State, receipt: Receipt) -> Closing:
    """Return a closing on the next day."""
    return Closing(state=state, receipt=receipt, finished_at=LATE, error_code="outcome_unknown", reconciled=True)


def one(store: DynamoUsageStore, caller: Caller) -> UsageRow:
    """Return the only row of the report; it belongs to the call's day."""
    made = report(store.of_user(caller.user_id, DAY, NEXT), Span(DAY, NEXT), None)
    (row,) = made.rows
    assert row.day == str(DAY)
    return row


def test_report_of_a_successful_call(store: DynamoUsageStore, caller: Caller) -> None:
    caller.record(closing={"computed_nanousd": 5_000})
    assert one(store, caller) == UsageRow(
        day=str(DAY), calls=1, successes=1, prompt_tokens=12, completion_tokens=34, latency_ms=500, timed=1,
        cost_nanousd=5_920, booked_nanousd=5_920, billed_nanousd=5_920, computed_nanousd=5_000,
    )  # fmt: skip


def test_call_without_a_computed_cost_is_excluded_from_drift(store: DynamoUsageStore, caller: Caller) -> None:
    caller.record()
    row = one(store, caller)
    assert (row.cost_nanousd, row.billed_nanousd, row.computed_nanousd) == (5_920, 0, 0)


def test_answer_without_a_reported_cost_counts_the_worst_case(store: DynamoUsageStore, caller: Caller) -> None:
    caller.record(closing={"receipt": a_receipt(cost_nanousd=None), "computed_nanousd": 5_000})
    assert one(store, caller) == UsageRow(
        day=str(DAY), calls=1, successes=1, unpriced=1, prompt_tokens=12, completion_tokens=34, latency_ms=500, timed=1,
        booked_nanousd=700_000,
    )  # fmt: skip


def test_rejected_call_without_cost_is_reported(store: DynamoUsageStore, caller: Caller) -> None:
    caller.record(State.FAILED, {"receipt": Receipt(cost_nanousd=0)})
    assert one(store, caller) == UsageRow(day=str(DAY), calls=1, failures=1, latency_ms=500, timed=1)


def test_unknown_outcome_is_counted_once_known(store: DynamoUsageStore, ledger: DynamoLedger, caller: Caller) -> None:
    opening = caller.unknown()
    assert [*store.of_user(caller.user_id, DAY, NEXT)] == []
    assert ledger.close(opening, late_closing(State.DONE, a_receipt()))
    row = UsageRow(
        day=str(DAY), calls=1, failures=1, prompt_tokens=12, completion_tokens=34, cost_nanousd=5_920,
        booked_nanousd=5_920,
    )  # fmt: skip
    assert one(store, caller) == row, "paid, but no answer was returned"
    assert not ledger.close(opening, late_closing(State.LOST, Receipt()))
    assert one(store, caller) == row, "a second close must not be counted"


def test_lost_call_counts_the_worst_case(store: DynamoUsageStore, ledger: DynamoLedger, caller: Caller) -> None:
    assert ledger.close(caller.unknown(), late_closing(State.LOST, Receipt(generation_id="gen-1")))
    assert one(store, caller) == UsageRow(day=str(DAY), calls=1, failures=1, lost=1, unpriced=1, booked_nanousd=700_000)


def test_report_separates_resource_model_and_key(store: DynamoUsageStore, caller: Caller) -> None:
    caller.record(resource_id="res_1", model="meadow/lark", api_key_id="key_1")
    caller.record(resource_id="res_1", model="meadow/lark-mini:free", api_key_id="key_2")
    caller.record(State.FAILED, resource_id="res_2", model="meadow/lark", api_key_id=None)
    caller.record(resource_id="res_1", model="meadow/lark", created_at="2026-11-23T00:00:00.000000Z")

    def rows_by(by: Grouping) -> list[tuple[str | None, str | None, int]]:
        rows = report(store.of_user(caller.user_id, DAY, NEXT), Span(DAY, NEXT), by).rows
        return [(row.day, getattr(row, by.fact), row.calls) for row in rows]

    first, second = str(DAY), str(NEXT)
    assert rows_by(Grouping.RESOURCE) == [(first, "res_1", 2), (first, "res_2", 1), (second, "res_1", 1)]
    assert rows_by(Grouping.MODEL) == [
        (first, "meadow/lark", 2), (first, "meadow/lark-mini:free", 1), (second, "meadow/lark", 1)]  # fmt: skip
    assert rows_by(Grouping.API_KEY) == [
        (first, None, 1), (first, "key_1", 1), (first, "key_2", 1), (second, None, 1)]  # fmt: skip


def test_report_excludes_other_users(
    store: DynamoUsageStore, ledger: DynamoLedger, fresh: Callable[[str], str]
) -> None:
    alice, bob = Caller(ledger, fresh), Caller(ledger, fresh)
    alice.record()
    bob.record(credential_owner_id=alice.user_id, resource_id="res_of_alice")
    assert [part.resource_id for part in store.of_user(alice.user_id, DAY, DAY)] == ["res_1"]
    assert [*store.of_user(alice.user_id[:-1], DAY, DAY)] == []


def test_report_includes_its_last_day_and_no_later_one(store: DynamoUsageStore, caller: Caller) -> None:
    for at in ("2026-11-21T23:59:59.999999Z", "2026-11-22T00:00:00.000000Z",
               "2026-11-22T23:59:59.999999Z", "2026-11-23T00:00:00.000000Z"):  # fmt: skip
        caller.record(created_at=at)
    assert sum(part.calls for part in store.of_user(caller.user_id, DAY, DAY)) == 2


def test_report_of_a_year_reads_several_pages(cloud: App, store: DynamoUsageStore, caller: Caller) -> None:
    for number in range(12):
        bucket = f"{DAY}#{number % 8}#res_{number}"
        row = {"user_id": caller.user_id, "bucket": bucket, "resource_id": "res_1", "model": "m" * 150_000}
        item = {**{name: {"S": value} for name, value in row.items()}, "calls": {"N": "1"}}
        aws.client("dynamodb").put_item(TableName=cloud.name("USAGE_TABLE"), Item=item)
    with recorded("dynamodb") as calls:
        parts = [*store.of_user(caller.user_id, DAY, DAY)]
    assert set(operations(calls)) == {"Query"}
    assert len(calls) > 1
    assert (len(parts), sum(part.calls for part in parts)) == (12, 12)
    assert {part.failures for part in parts} == {0}, "absent counters are zero"
