"""Fifty threads close executions of one resource concurrently, and every one is counted."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from instant.adapters.aws import client as aws
from instant.adapters.executions.ledger import DynamoLedger
from instant.adapters.resources.stats import DynamoStatsStore
from instant.domain.executions.execution import Closing, Opening, State
from tests.fakes.builders import a_closing, an_opening
from tests.integration.app import App
from tests.integration.ledgers import a_ledger

pytestmark = pytest.mark.usefixtures("fast_thread_switching")

THREADS, CLOSES = 50, 2


class ReadThenWriteLedger(DynamoLedger):
    """A faulty ledger that reads the counter, increments it and writes it back."""

    def close(self, opening: Opening, closing: Closing) -> bool:
        """Count with a gap between the read and the write."""
        key = {"resource_id": {"S": opening.resource_id}, "bucket": {"S": "total#0"}}
        table = self._tables.stats
        row = aws.client("dynamodb").get_item(TableName=table, Key=key).get("Item", {"calls": {"N": "0"}})
        calls = {"N": str(int(row["calls"]["N"]) + 1)}
        more = {"calls": calls, "last_called_at": {"S": closing.finished_at}}
        aws.client("dynamodb").put_item(TableName=table, Item={**key, **more})
        return True


def counted(app: App, ledger: DynamoLedger, resource_id: str) -> int:
    """Return the number of counted calls after all threads."""

    def work(thread: int) -> None:
        for number in range(CLOSES):
            opening = an_opening(f"exe_{resource_id}_{thread}_{number}", resource_id=resource_id)
            ledger.open(opening)
            ledger.close(opening, a_closing(State.DONE if number else State.FAILED))

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(work, range(THREADS)))
    store = DynamoStatsStore(app.name("RESOURCE_STATS_TABLE"))
    return store.of(resource_id, datetime(2026, 11, 22, tzinfo=UTC)).call_count


def test_concurrent_calls_are_all_recorded(cloud: App, fresh: Callable[[str], str]) -> None:
    resource_id = fresh("res")
    assert counted(cloud, a_ledger(cloud), resource_id) == THREADS * CLOSES
    stats = DynamoStatsStore(cloud.name("RESOURCE_STATS_TABLE")).of(resource_id, datetime(2026, 11, 22, tzinfo=UTC))
    assert stats.failure_count_30d == THREADS
    assert stats.success_count_30d == THREADS * (CLOSES - 1)
    assert stats.cost_nanousd_30d == THREADS * CLOSES * 5_920


def test_detects_a_lost_call(cloud: App, fresh: Callable[[str], str]) -> None:
    assert counted(cloud, a_ledger(cloud, ReadThenWriteLedger), fresh("res")) < THREADS * CLOSES
