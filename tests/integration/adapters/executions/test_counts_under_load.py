"""Over three hundred executions close concurrently, one attempt in ten conflicts, and every total is exact."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from random import Random

from instant.adapters.aws import client as aws
from instant.adapters.executions.ledger import DynamoLedger
from instant.adapters.executions.ledger_counts import stats_updates, usage_update
from instant.adapters.resources.stats import DynamoStatsStore
from instant.adapters.usage.report import DynamoUsageStore
from instant.domain.executions.execution import Closing, Opening, State, StoredAnswer
from instant.domain.executions.receipt import Receipt
from instant.domain.resources.stats import Stats
from instant.domain.usage.report import Span, UsageRow, report
from tests.fakes.aws_faults import cancelled, faults
from tests.fakes.builders import a_closing, an_opening
from tests.integration.app import App
from tests.integration.ledgers import a_ledger

WRITERS, FAULTY_WRITERS, THREADS, FAILED_ONE_IN = 320, 60, 100, 8
DAY = date(2026, 11, 22)
CONFLICT = cancelled("None", "TransactionConflict", "None", "None")

type Row = dict[str, dict[str, str]]


class ReadThenWriteLedger(DynamoLedger):
    """A faulty ledger that reads each counter, increments it and writes it back."""

    def close(self, opening: Opening, closing: Closing) -> bool:
        """Count with a gap between the read and the write."""
        tables = self._tables
        updates = stats_updates(tables.stats, opening, closing)
        for write in (*updates.values(), usage_update(tables.usage, opening, closing)):
            table, key, values = write["TableName"], write["Key"], write["ExpressionAttributeValues"]
            row = aws.client("dynamodb").get_item(TableName=table, Key=key).get("Item", key)
            aws.client("dynamodb").put_item(TableName=table, Item=_added(row, write["UpdateExpression"], values))
        return True


def _added(row: Row, expression: str, values: Row) -> Row:
    """Return the row that the update expression would produce."""
    add, _, _ = expression.removeprefix("ADD ").partition(" SET ")
    sums = {}
    for name, placeholder in (each.split() for each in add.split(", ")):
        sums[name] = {"N": str(int(row.get(name, {"N": "0"})["N"]) + int(values[placeholder]["N"]))}
    facts = {name: values[f":{name}"] for name in ("resource_id", "model") if f":{name}" in values}
    return {**row, **sums, **facts, "last_called_at": {"S": "2026-11-22T12:00:00.500000Z"}}


def write(ledger: DynamoLedger, executions: str, resource_id: str, number: int) -> None:
    """Record one execution from open to close, then delete its row as its TTL does."""
    name, user_id = f"exe_{resource_id}_{number}", f"user_{resource_id}"
    more = {"run_id": f"run_{number}", "service": "openrouter"}
    opening = an_opening(name, resource_id=resource_id, user_id=user_id, **more)
    state = State.DONE if number % FAILED_ONE_IN else State.FAILED
    receipt = Receipt(prompt_tokens=12, completion_tokens=34, cost_nanousd=number)
    ledger.open(opening)
    assert ledger.close(opening, a_closing(state, receipt=receipt, answer=StoredAnswer(), computed_nanousd=number))
    aws.client("dynamodb").delete_item(TableName=executions, Key={"execution_id": {"S": name}})


def counted(app: App, ledger: DynamoLedger, resource_id: str, writers: int) -> tuple[Stats, UsageRow]:
    """Return the totals after all writers."""
    executions = app.name("EXECUTIONS_TABLE")
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda number: write(ledger, executions, resource_id, number), range(writers)))
    stats = DynamoStatsStore(app.name("RESOURCE_STATS_TABLE")).of(resource_id, datetime(2026, 11, 22, tzinfo=UTC))
    parts = DynamoUsageStore(app.name("USAGE_TABLE")).of_user(f"user_{resource_id}", DAY, DAY)
    return stats, report(parts, Span(DAY, DAY), None).total


def test_concurrent_counts_are_neither_lost_nor_doubled(cloud: App, fresh: Callable[[str], str]) -> None:
    random, failed = Random(20261122), WRITERS // FAILED_ONE_IN
    plan = [CONFLICT if random.random() < 0.1 else None for _ in range(2 * WRITERS)]
    with faults("TransactWriteItems", *plan) as tries:
        stats, usage = counted(cloud, a_ledger(cloud), fresh("res"), WRITERS)
    cost = sum(range(WRITERS))
    assert len(tries.bodies) - WRITERS == sum(fault is CONFLICT for fault in plan[: len(tries.bodies)]) >= WRITERS // 15
    assert stats == Stats(
        call_count=WRITERS,
        success_count_30d=WRITERS - failed,
        failure_count_30d=failed,
        cost_nanousd_30d=cost,
        last_called_at="2026-11-22T12:00:00.500000Z",
    )
    assert usage == UsageRow(
        calls=WRITERS,
        successes=WRITERS - failed,
        failures=failed,
        prompt_tokens=12 * WRITERS,
        completion_tokens=34 * WRITERS,
        latency_ms=500 * WRITERS,
        timed=WRITERS,
        cost_nanousd=cost,
        booked_nanousd=cost,
        billed_nanousd=cost,
        computed_nanousd=cost,
    )


def test_detects_a_lost_count(cloud: App, fresh: Callable[[str], str]) -> None:
    stats, usage = counted(cloud, a_ledger(cloud, ReadThenWriteLedger), fresh("res"), FAULTY_WRITERS)
    assert stats.call_count < FAULTY_WRITERS
    assert usage.calls < FAULTY_WRITERS
