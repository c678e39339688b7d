"""Fifty concurrent threads at a budget's limit: it is never exceeded, and exactly the calls that fit are accepted.

After each write to the limits table, the holds and the spending of the budget are summed before the next write.
"""

import random
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import pytest
from botocore.awsrequest import AWSRequest
from moto.core.botocore_stubber import BotocoreStubber
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType

from instant.adapters.aws import client as aws
from instant.adapters.executions.answer_store import S3AnswerStore
from instant.adapters.executions.history import DynamoExecutionHistory
from instant.adapters.executions.ledger import DynamoLedger
from instant.adapters.usage.budgets import DynamoBudgetStore
from instant.domain.clock import parse_time
from instant.domain.errors import BudgetExhausted, InvalidField, OutcomeUnknown
from instant.domain.exchange import Request
from instant.domain.executions.execution import Execution, Opening
from instant.domain.executions.failure import Effect, Failure
from instant.domain.executions.output import Answer
from instant.domain.executions.plan import Plan
from instant.domain.limits import MAX_BUDGETS
from instant.domain.usage.budget import GLOBAL_SHARDS, Budget, BudgetScope, Period, Spending, Subject, exhausted, rows
from instant.use_cases.executions.deps import LedgerDeps
from instant.use_cases.executions.record import record
from tests.fakes.aws_faults import cancelled
from tests.fakes.aws_stores import empty_stores
from tests.fakes.builders import NOON, a_prepared, a_receipt, an_opening
from tests.fakes.clock import FakeClock
from tests.integration.app import App
from tests.integration.ledgers import a_ledger

THREADS, CALLS = 50, 100
WORST = 1_000
FIT = 20
"""The number of calls, out of 100, that fit the budget."""

CAP = FIT * WORST + WORST - 1
FIT_PER_SHARD = 10
SHARED_FIT = FIT_PER_SHARD * GLOBAL_SHARDS
CALLERS = 10
"""The number of users whose calls these are: none of them reaches its share of a budget."""

SHARED_CAP = GLOBAL_SHARDS * (FIT_PER_SHARD * WORST + WORST - 1)
AT = parse_time(NOON)
CONFLICTS = 0.1
"""The share of transactions that conflict and must be retried."""


class ReadThenWriteLedger(DynamoLedger):
    """A faulty ledger that reads what is held, decides and writes without a condition."""

    def open(self, opening: Opening) -> Execution | None:
        """Hold the worst case, with a gap between the read and the write."""
        for hold in opening.holds:
            key = {"name": {"S": hold.name}}
            row = aws.client("dynamodb").get_item(TableName=self._tables.limits, Key=key).get("Item", key)
            committed = int(row.get("committed", {"N": "0"})["N"]) + opening.reserved_nanousd
            if committed > hold.cap_nanousd:
                raise exhausted(hold, AT)
            aws.client("dynamodb").put_item(
                TableName=self._tables.limits, Item={**row, "committed": {"N": str(committed)}}
            )
        return super().open(an_opening(opening.execution_id, run_id=opening.run_id))


class UncheckedLedger(DynamoLedger):
    """A faulty ledger that checks the budget before a write without a condition."""

    def open(self, opening: Opening) -> Execution | None:
        """Check the budget, then hold the worst case."""
        for hold in opening.holds:
            key = {"name": {"S": hold.name}}
            row = aws.client("dynamodb").get_item(TableName=self._tables.limits, Key=key).get("Item", key)
            if int(row.get("committed", {"N": "0"})["N"]) + opening.reserved_nanousd > hold.cap_nanousd:
                raise exhausted(hold, AT)
            aws.client("dynamodb").update_item(
                TableName=self._tables.limits,
                Key=key,
                UpdateExpression="ADD committed :worst",
                ExpressionAttributeValues={":worst": {"N": str(opening.reserved_nanousd)}},
            )
        return super().open(an_opening(opening.execution_id, run_id=opening.run_id))


@pytest.fixture(autouse=True)
def _fast_thread_switching() -> Iterator[None]:
    """Switch threads as often as possible."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-4)
    yield
    sys.setswitchinterval(before)


@pytest.fixture(autouse=True)
def _empty_tables(cloud: App) -> None:
    """Empty the tables: the simulation copies them for each transaction, and old rows slow it down."""
    empty_stores()


@dataclass
class BudgetMonitor:
    """The highest total of a budget's rows and the highest value of one row, over all writes."""

    app: App = field(repr=False)
    budget: Budget
    max_total: int = 0
    max_of_one: int = 0
    writes: int = 0
    _lock: Any = field(default_factory=threading.RLock)

    @contextmanager
    def watched(self, conflicts: float = 0) -> Iterator[None]:
        """Read the rows after every write; some transactions conflict at random."""
        process, chance = BotocoreStubber.process_request, random.Random(7)

        def process_request(stubber: BotocoreStubber, request: AWSRequest) -> Any:
            operation = _operation(request)
            with self._lock:
                if operation == "TransactWriteItems" and chance.random() < conflicts:
                    return cancelled("None", "TransactionConflict")(request, lambda: None)
                reply = process(stubber, request)
                if operation in {"TransactWriteItems", "UpdateItem", "PutItem", "DeleteItem"}:
                    self._observe()
                return reply

        with mock.patch.object(BotocoreStubber, "process_request", process_request):
            yield

    def _observe(self) -> None:
        held = self.held()
        self.writes += 1
        self.max_total, self.max_of_one = max(self.max_total, sum(held)), max(self.max_of_one, *held)

    def held(self) -> list[int]:
        """Return what is held in each of the day's rows in the simulation."""
        table = self.app.name("LIMITS_TABLE")
        backend = dynamodb_backends["123456789012"]["us-east-1"]
        keys = [DynamoType({"S": name}) for name in rows(self.budget.subject, Period.DAY, AT)]
        found = [backend.tables[table].get_item(key) for key in keys]
        return [int(row.attrs["committed"].value) for row in found if row and "committed" in row.attrs] or [0]

    def spending(self) -> Spending:
        """Return the spending that callers see."""
        store = DynamoBudgetStore(self.app.name("LIMITS_TABLE"))
        return store.spending([self.budget.subject], AT)[self.budget.subject][Period.DAY]


def run_calls(
    monitor: BudgetMonitor,
    ledger: DynamoLedger,
    cost: Callable[[], int | None],
    *,
    conflicts: float = 0,
    calls: int = CALLS,
) -> list[int]:
    """Return the costs of the accepted calls of all threads; None is an unknown cost."""
    app = monitor.app
    deps = LedgerDeps(
        ledger=ledger,
        executions=DynamoExecutionHistory(app.name("EXECUTIONS_TABLE")),
        answers=S3AnswerStore(app.name("MEDIA_BUCKET")),
        clock=FakeClock(AT),
    )
    costs: list[int] = []

    def call(number: int) -> None:
        name = f"{monitor.budget.subject.subject_id or 'all'}_{number}"
        prepared = a_prepared(
            f"exe_{name}",
            user_id=f"user_{number % CALLERS}",
            budgets=(monitor.budget,),
            plan=Plan(request=Request(method="POST", path=""), worst_nanousd=WORST),
        )
        with suppress(BudgetExhausted, OutcomeUnknown), record(prepared, lambda: 120.0, deps) as recording:
            recording.mark_sent()
            paid = cost()
            costs.append(WORST if paid is None else paid)
            if paid is None:
                raise Failure(OutcomeUnknown("No answer came."), effect=Effect.UNKNOWN)
            recording.finish(Answer({"type": "text", "content": "Hello."}, a_receipt(cost_nanousd=paid)))

    with monitor.watched(conflicts), ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(call, range(calls)))
    return costs


def check(monitor: BudgetMonitor, costs: list[int], fit: int) -> None:
    """Assert that the limit was not exceeded, as many calls were accepted as fit, and the holds equal their costs."""
    cap = monitor.budget.daily_nanousd or 0
    shards = GLOBAL_SHARDS if monitor.budget.subject.scope.is_shared else 1
    assert monitor.writes >= 3 * fit
    assert monitor.max_total <= cap
    assert monitor.max_of_one <= cap // shards
    assert len(costs) == fit
    assert sum(monitor.held()) == sum(costs)


@pytest.fixture
def monitor(cloud: App, fresh: Callable[[str], str]) -> BudgetMonitor:
    """A user's budget that fits only some of the calls."""
    return BudgetMonitor(cloud, Budget(subject=Subject(BudgetScope.USER, fresh("user")), daily_nanousd=CAP))


@pytest.fixture
def shared(cloud: App) -> BudgetMonitor:
    """The budget of all calls."""
    return BudgetMonitor(cloud, Budget(subject=Subject(BudgetScope.GLOBAL), daily_nanousd=SHARED_CAP))


@pytest.mark.parametrize("conflicts", [0, CONFLICTS])
def test_concurrent_holds_fit_exactly(monitor: BudgetMonitor, conflicts: float) -> None:
    costs = run_calls(monitor, a_ledger(monitor.app), lambda: WORST, conflicts=conflicts)
    check(monitor, costs, FIT)
    assert monitor.spending() == Spending(FIT * WORST, 0)


def test_unknown_outcomes_stay_held(monitor: BudgetMonitor) -> None:
    costs = run_calls(monitor, a_ledger(monitor.app), lambda: None)
    check(monitor, costs, FIT)
    assert monitor.spending() == Spending(0, FIT * WORST)


def test_cheaper_outcomes_release_the_difference(monitor: BudgetMonitor) -> None:
    chance = random.Random(11)
    costs = run_calls(monitor, a_ledger(monitor.app), lambda: chance.randrange(WORST // 2, WORST), conflicts=CONFLICTS)
    assert len(costs) >= FIT
    check(monitor, costs, len(costs))
    assert monitor.spending() == Spending(sum(costs), 0)


def test_concurrent_holds_of_a_sharded_budget_fit_exactly(shared: BudgetMonitor) -> None:
    costs = run_calls(shared, a_ledger(shared.app), lambda: WORST, conflicts=CONFLICTS)
    check(shared, costs, SHARED_FIT)
    assert sorted(shared.held()) == [FIT_PER_SHARD * WORST] * GLOBAL_SHARDS
    assert shared.spending() == Spending(SHARED_FIT * WORST, 0)


@pytest.mark.parametrize("kind", [ReadThenWriteLedger, UncheckedLedger])
def test_detects_a_non_atomic_hold(monitor: BudgetMonitor, kind: type[DynamoLedger]) -> None:
    costs = run_calls(monitor, a_ledger(monitor.app, kind), lambda: WORST)
    with pytest.raises(AssertionError):
        check(monitor, costs, FIT)


def test_detects_a_non_atomic_hold_of_a_sharded_budget(shared: BudgetMonitor) -> None:
    costs = run_calls(shared, a_ledger(shared.app, ReadThenWriteLedger), lambda: WORST, calls=CALLS // 2)
    assert CALLS // 2 < SHARED_FIT
    with pytest.raises(AssertionError):
        check(shared, costs, CALLS // 2)


def test_concurrent_budget_creations_stop_at_the_limit(cloud: App, fresh: Callable[[str], str]) -> None:
    store, owner = DynamoBudgetStore(cloud.name("LIMITS_TABLE")), fresh("user")

    def put(number: int) -> bool:
        subject = Subject(BudgetScope.API_KEY, f"key_{owner}_{number}")
        try:
            store.put(owner, Budget(subject=subject, daily_nanousd=number))
        except InvalidField:
            return False
        return True

    with ThreadPoolExecutor(THREADS) as pool:
        done = list(pool.map(put, range(MAX_BUDGETS + 50)))
    found = store.of_owner(owner)
    assert sum(done) == len(found) == MAX_BUDGETS
    there = [row["name"]["S"] for row in cloud.table("LIMITS_TABLE") if f"key_{owner}_" in row["name"]["S"]]
    assert sorted(there) == sorted(f"budget#{budget.subject.name}" for budget in found)


def _operation(request: AWSRequest) -> str:
    target = request.headers.get("X-Amz-Target", "")
    return (target.decode() if isinstance(target, bytes) else str(target)).rpartition(".")[2]
