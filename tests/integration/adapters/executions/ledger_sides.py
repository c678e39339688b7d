"""A ledger and its readers in two implementations, DynamoDB and in memory, with their transitions."""

from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any, Protocol

from botocore.exceptions import ClientError

from instant.adapters.aws import client as aws
from instant.adapters.executions.cancellations import DynamoCancellations
from instant.adapters.executions.history import DynamoExecutionHistory
from instant.adapters.executions.open_runs import DynamoOpenRuns
from instant.domain.errors import BudgetExhausted
from instant.domain.executions.execution import Closing, Opening, State, StoredAnswer
from instant.domain.executions.receipt import Receipt
from instant.domain.usage.budget import BudgetScope, Hold, Period
from instant.ports.executions.cancellations import Cancellations
from instant.ports.executions.history import ExecutionReader
from instant.ports.executions.ledger import Ledger, OpenRuns
from tests.fakes.aws_stores import kept_tables, set_back
from tests.fakes.builders import a_closing
from tests.fakes.ledger import MemoryLedger, Refused
from tests.integration.app import App
from tests.integration.ledgers import a_ledger

WORST = 700_000
LEASE_END = "2026-11-22T12:02:00.000000Z"
BEFORE, LATER, LATE = "2026-11-22T12:01:59.999999Z", "2026-11-22T12:02:00.000001Z", "2026-11-22T14:00:00.000000Z"
RENEWED = "2026-11-22T12:03:00.000000Z"
NEVER = "9999-12-31T00:00:00.000000Z"

type Sums = tuple[Counter[str], Counter[str], dict[str, tuple[int, int]]]
"""The resource's statistics, the user's usage, and the held and spent amounts of each budget row."""


class Subject(Protocol):
    """A ledger with its readers."""

    @property
    def ledger(self) -> Ledger: ...

    @property
    def open_runs(self) -> OpenRuns: ...

    @property
    def executions(self) -> ExecutionReader: ...

    @property
    def cancellations(self) -> Cancellations: ...

    def sums(self, opening: Opening) -> Sums:
        """Return the totals of the opening's resource, user and budgets."""

    def snapshot(self) -> Any:
        """Return a copy of the state, for `restore`."""

    def restore(self, snapshot: Any) -> None:
        """Restore the copied state."""


class InMemory:
    """The in-memory implementation."""

    def __init__(self) -> None:
        """Start empty."""
        self.books = self.ledger = self.open_runs = self.executions = self.cancellations = MemoryLedger()

    def snapshot(self) -> Any:
        counters: tuple[dict[Any, Counter[str]], ...] = (self.books.budgets, self.books.stats, self.books.usage)
        for sums in counters:
            for key in [key for key, counts in sums.items() if not any(counts.values())]:
                del sums[key]  # the defaultdict added it when it was read
        return deepcopy(vars(self.books))

    def restore(self, snapshot: Any) -> None:
        vars(self.books).update(deepcopy(snapshot))

    def sums(self, opening: Opening) -> Sums:
        stats = [sums for key, sums in self.books.stats.items() if key[0] == opening.resource_id]
        usage = [sums for key, sums in self.books.usage.items() if key[0] == opening.user_id]
        rows = {hold.name: self.books.budgets[hold.name] for hold in opening.holds}
        return _total(stats), _total(usage), {name: (row["committed"], row["spent"]) for name, row in rows.items()}


class InDynamo:
    """The DynamoDB implementation, with the template's tables."""

    def __init__(self, app: App) -> None:
        """Use the tables of the app."""
        table = app.name("EXECUTIONS_TABLE")
        self.ledger, self.open_runs = a_ledger(app), DynamoOpenRuns(table)
        self.executions, self.cancellations = DynamoExecutionHistory(table), DynamoCancellations(table)
        self._stats, self._usage, self._limits = map(app.name, ("RESOURCE_STATS_TABLE", "USAGE_TABLE", "LIMITS_TABLE"))

    def snapshot(self) -> Any:
        return kept_tables()

    def restore(self, snapshot: Any) -> None:
        set_back(snapshot)

    def sums(self, opening: Opening) -> Sums:
        days = [row for row in _query(self._stats, resource_id=opening.resource_id) if row["bucket"].startswith("day#")]
        usage = _query(self._usage, user_id=opening.user_id)
        return _total(map(_numbers, days)), _total(map(_numbers, usage)), dict(map(self._spending, opening.holds))

    def _spending(self, hold: Hold) -> tuple[str, tuple[int, int]]:
        key = {"name": {"S": hold.name}}
        row = aws.client("dynamodb").get_item(TableName=self._limits, Key=key, ConsistentRead=True).get("Item", {})
        committed, spent = (int(row[name]["N"]) if name in row else 0 for name in ("committed", "spent"))
        return hold.name, (committed, spent)


def _query(table: str, **key: str) -> list[dict[str, Any]]:
    ((name, value),) = key.items()
    rows = aws.client("dynamodb").query(
        TableName=table, KeyConditionExpression=f"{name} = :key", ExpressionAttributeValues={":key": {"S": value}}
    )["Items"]
    return [{name: next(iter(value.values())) for name, value in row.items()} for row in rows]


def _numbers(row: dict[str, Any]) -> Counter[str]:
    others = ("bucket", "resource_id", "user_id", "model", "api_key_id", "last_called_at", "expires_at")
    return Counter({name: int(value) for name, value in row.items() if name not in others})


def _total(sums: Any) -> Counter[str]:
    total: Counter[str] = Counter()
    for each in sums:
        total.update(each)
    return Counter({name: count for name, count in total.items() if count})


def some_holds(name: str, cap: int = 3 * WORST) -> tuple[Hold, ...]:
    """Return two budget holds with room for three calls."""
    return (
        Hold(f"spend#user#{name}#2026-11-22#0", cap, BudgetScope.USER, Period.DAY),
        Hold(f"spend#resource#{name}#2026-11#0", cap, BudgetScope.RESOURCE, Period.MONTH),
    )


def unknown_closing(**more: Any) -> Closing:
    """Return the closing of an execution with an unknown outcome."""
    facts: dict[str, Any] = {"receipt": Receipt(), "error_code": "outcome_unknown"}
    return a_closing(State.UNKNOWN, **(facts | more))


def lost_closing() -> Closing:
    """Return the closing of an execution that is marked lost."""
    return a_closing(
        State.LOST, receipt=Receipt(), answer=StoredAnswer(), latency_ms=None, error_code="outcome_unknown",
        finished_at=LATE, reconciled=True,
    )  # fmt: skip


def bring_to(ledger: Ledger, opening: Opening, state: State | None) -> None:
    """Move an execution to `state`; a plain call is never RESERVED."""
    if state is None:
        return
    ledger.open(opening)
    if state is not State.RESERVED:
        ledger.mark_sent(opening)
    if state is State.UNKNOWN:
        ledger.mark_unknown(opening, unknown_closing(), LATER)
    if state in {State.DONE, State.FAILED}:
        ledger.close(opening, a_closing(state))
    if state is State.LOST:
        ledger.close(opening, lost_closing())


type Step = Callable[[Ledger, Opening], object]

STEPS: dict[str, Step] = {
    "open": lambda ledger, opening: ledger.open(opening),
    "sent": lambda ledger, opening: ledger.mark_sent(opening),
    "record id": lambda ledger, opening: ledger.record_generation_id(opening, "gen-7"),
    "save result": lambda ledger, opening: ledger.save_result(opening, a_closing()),
    "save failure": lambda ledger, opening: ledger.save_result(opening, a_closing(State.FAILED, receipt=Receipt())),
    "release": lambda ledger, opening: ledger.release(opening),
    "renew": lambda ledger, opening: ledger.renew(opening, RENEWED),
    "renew shorter": lambda ledger, opening: ledger.renew(opening, BEFORE),
    "expire": lambda ledger, opening: ledger.expire(opening, unknown_closing(), LATER),
    "expire renewed": lambda ledger, opening: ledger.expire(
        replace(opening, lease_expires_at=BEFORE), unknown_closing(), LATER
    ),
    "reclaim early": lambda ledger, opening: ledger.reclaim(opening.execution_id, LEASE_END),
    "reclaim": lambda ledger, opening: ledger.reclaim(opening.execution_id, LATER),
    "done": lambda ledger, opening: ledger.close(opening, a_closing(latency_ms=777, computed_nanousd=6_000)),
    "failed": lambda ledger, opening: ledger.close(opening, a_closing(State.FAILED, receipt=Receipt())),
    "lost": lambda ledger, opening: ledger.close(opening, lost_closing()),
    "lost with id": lambda ledger, opening: ledger.close(opening, a_closing(State.LOST, latency_ms=777)),
    "unknown": lambda ledger, opening: ledger.mark_unknown(
        opening, unknown_closing(receipt=Receipt(generation_id="gen-8")), LATE
    ),
    "reschedule": lambda ledger, opening: ledger.reschedule(opening, LATE),
}


def outcome(step: Step, ledger: Ledger, opening: Opening) -> object:
    """Return the result of a transition, or "rejected" if its condition failed."""
    try:
        return step(ledger, opening)
    except (Refused, ClientError) as error:
        code = "ConditionalCheckFailed" if isinstance(error, Refused) else error.response["Error"]["Code"]
        assert code.startswith("ConditionalCheckFailed")
        return "rejected"
    except BudgetExhausted as error:
        return str(error), error.details, error.retry_after
