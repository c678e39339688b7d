"""A hundred identical concurrent requests: one reaches the model, all get the same answer, and one row is recorded."""

import itertools
import json
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from instant.adapters.aws import client as aws
from instant.adapters.executions.ledger import DynamoLedger
from instant.domain.access.identity import Identity, Scope
from instant.domain.errors import IdempotencyMismatch, InProgress, InstantError
from instant.domain.executions.execution import Opening
from instant.use_cases.executions.deps import ExecuteDeps
from instant.use_cases.executions.execute import execute
from instant.use_cases.executions.prepare import ExecuteRequest
from tests.integration.app import App
from tests.integration.aws_calls import one_at_a_time
from tests.integration.ledgers import a_ledger
from tests.timeouts import HANG_SECONDS

pytestmark = pytest.mark.usefixtures("fast_thread_switching")

ALICE = Identity("user_alice", frozenset({Scope.EXECUTE}))


class ReadThenWriteLedger(DynamoLedger):
    """A faulty ledger that reads before it writes and treats any existing execution as its own.

    The other step detects either mistake alone: the run id is checked again before anything is sent. The first two
    callers meet between the read and the write.
    """

    gap = threading.Barrier(2)
    first = itertools.count()

    def _put(self, opening: Opening, put: dict[str, Any]) -> bool:
        if self._row(opening.execution_id):
            return False
        if next(self.first) < 2:
            self.gap.wait(HANG_SECONDS)
        return super()._put(opening, {name: value for name, value in put.items() if name != "ConditionExpression"})

    def mark_sent(self, opening: Opening) -> None:
        """Mark the row as sent without a condition."""
        aws.client("dynamodb").update_item(
            TableName=self._tables.executions,
            Key={"execution_id": {"S": opening.execution_id}},
            UpdateExpression="SET #state = :sent",
            ExpressionAttributeNames={"#state": "state"},
            ExpressionAttributeValues={":sent": {"S": "SENT"}},
        )


@pytest.fixture
def deps(seeded: App) -> ExecuteDeps:
    """Return the dependencies of an execution, as the function builds them."""
    found = seeded.module("ExecuteFunction").deps
    assert isinstance(found, ExecuteDeps)
    return found


def order(resource_id: str, key: str | None, prompt: str = "Say hello.") -> ExecuteRequest:
    """Return one request."""
    return ExecuteRequest(resource_id=resource_id, inputs={"prompt": prompt}, idempotency_key=key)


def result_of(order: ExecuteRequest, deps: ExecuteDeps) -> str:
    """Return the answer, or the code of the failure."""
    try:
        return json.dumps(execute(order, ALICE, lambda: App.seconds, deps))
    except InstantError as error:
        return error.code


def run_a_hundred(app: App, deps: ExecuteDeps, key: str) -> Counter[str]:
    """Return the results of a hundred identical concurrent requests."""
    one = order(app.resource()["resource_id"], key)
    with one_at_a_time(), ThreadPoolExecutor(50) as pool:
        return Counter(pool.map(lambda _: result_of(one, deps), range(100)))


@pytest.mark.parametrize("seed", range(5))
def test_a_hundred_identical_requests_execute_once(seeded: App, deps: ExecuteDeps, seed: int) -> None:
    answers = run_a_hundred(seeded, deps, f"order-{seed}")
    assert len(seeded.fake.generation_ids) == 1
    assert len(seeded.table("EXECUTIONS_TABLE")) == 1
    assert [int(row["calls"]["N"]) for row in seeded.table("RESOURCE_STATS_TABLE")] == [1, 1]
    assert [int(row["calls"]["N"]) for row in seeded.table("USAGE_TABLE")] == [1]
    assert len(answers) <= 2  # the answer and `in_progress`
    assert answers.keys() - {"in_progress"} == {text for text in answers if text.startswith('{"success": true')}


def test_detects_a_ledger_that_reads_before_it_writes(seeded: App, deps: ExecuteDeps) -> None:
    faulty = replace(deps, ledger=replace(deps.ledger, ledger=a_ledger(seeded, ReadThenWriteLedger)))
    run_a_hundred(seeded, faulty, "order-1")
    assert len(seeded.fake.generation_ids) > 1


def test_concurrent_repeats_return_in_progress(seeded: App, deps: ExecuteDeps) -> None:
    resource_id, gate = seeded.resource()["resource_id"], threading.Event()
    body = b'{"choices": [{"message": {"content": "Hello."}, "finish_reason": "stop"}], "usage": {"cost": 0}}'
    seeded.fake.script(200, chunks=[gate, body])
    with one_at_a_time(), ThreadPoolExecutor(1) as pool:
        first = pool.submit(result_of, order(resource_id, "order-1"), deps)
        assert seeded.fake.wait_for_chats()
        with pytest.raises(InProgress) as waiting:
            execute(order(resource_id, "order-1"), ALICE, lambda: App.seconds, deps)
        with pytest.raises(IdempotencyMismatch):
            execute(order(resource_id, "order-1", "Say goodbye."), ALICE, lambda: App.seconds, deps)
        gate.set()
        answer = json.loads(first.result())
    assert (waiting.value.status, waiting.value.retryable, waiting.value.retry_after) == (409, True, 10)
    assert waiting.value.execution_id == answer["execution_id"]
    assert len(seeded.fake.chat_requests) == 1
