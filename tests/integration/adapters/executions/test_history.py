"""The execution history returns the ledger's rows to their user only."""

from collections.abc import Callable

import pytest

from instant.adapters.aws.client import client
from instant.adapters.clock import SystemClock
from instant.adapters.executions.answer_store import S3AnswerStore
from instant.adapters.executions.history import DynamoExecutionHistory
from instant.adapters.executions.ledger import DynamoLedger
from instant.adapters.executions.output_links import S3OutputLinks
from instant.domain.access.identity import Identity, Scope
from instant.domain.errors import NotFound
from instant.domain.executions.execution import Execution, State, StoredAnswer
from instant.domain.executions.receipt import Receipt
from instant.domain.page import Cursor, PageRequest
from instant.use_cases.executions.read import OutputDeps, read_execution
from tests.fakes.builders import NOON, a_closing, a_receipt, an_opening
from tests.integration.app import App
from tests.integration.ledgers import a_ledger


@pytest.fixture
def history(cloud: App) -> DynamoExecutionHistory:
    return DynamoExecutionHistory(cloud.name("EXECUTIONS_TABLE"))


@pytest.fixture
def ledger(cloud: App) -> DynamoLedger:
    return a_ledger(cloud)


def test_open_execution_shows_its_progress(
    history: DynamoExecutionHistory, ledger: DynamoLedger, fresh: Callable[[str], str]
) -> None:
    opening = an_opening(fresh("exe"))
    ledger.open(opening)
    found = history.get(opening.execution_id)
    assert found == Execution(
        execution_id=opening.execution_id,
        user_id="user_alice",
        resource_id="res_1",
        resource_revision=1,
        state=State.SENT,
        model="meadow/lark-mini",
        key_source="caller",
        created_at=NOON,
        lease_expires_at=opening.lease_expires_at,
    )


def test_closed_execution_shows_every_field(
    history: DynamoExecutionHistory, ledger: DynamoLedger, fresh: Callable[[str], str]
) -> None:
    opening = an_opening(fresh("exe"))
    ledger.open(opening)
    ledger.close(opening, a_closing())
    found = history.get(opening.execution_id)
    assert found is not None
    assert (found.state, found.latency_ms, found.error_code) == (State.DONE, 500, None)
    assert found.receipt == a_receipt()
    assert found.answer == StoredAnswer(text='{"success":true}')


def test_unknown_fields_are_none(
    history: DynamoExecutionHistory, ledger: DynamoLedger, fresh: Callable[[str], str]
) -> None:
    opening = an_opening(fresh("exe"))
    ledger.open(opening)
    ledger.mark_unknown(opening, a_closing(State.UNKNOWN, receipt=Receipt(), error_code="outcome_unknown"), NOON)
    found = history.get(opening.execution_id)
    assert found is not None
    assert (found.state, found.receipt, found.error_code) == (State.UNKNOWN, Receipt(), "outcome_unknown")


def test_missing_execution_is_none(history: DynamoExecutionHistory) -> None:
    assert history.get("exe_none") is None


def test_list_returns_pages_newest_first_without_answers(
    history: DynamoExecutionHistory, ledger: DynamoLedger, fresh: Callable[[str], str]
) -> None:
    user, key_id, made = fresh("user"), fresh("key"), list[str]()
    for number in range(5):
        opening = an_opening(
            fresh("exe"), user_id=user, api_key_id=key_id, created_at=f"2026-11-22T12:00:{number // 2:02}.000000Z"
        )
        ledger.open(opening)
        ledger.close(opening, a_closing())
        made.append(opening.execution_id)
    seen, after = list[Execution](), None
    while True:
        page = history.of_user(user, PageRequest(2, after))
        seen += page.items
        if page.next is None:
            break
        after = Cursor.decode(page.next.encode())
    assert sorted(item.execution_id for item in seen) == made
    assert [item.created_at for item in seen] == sorted((item.created_at for item in seen), reverse=True)
    assert {item.answer for item in seen} == {StoredAnswer()}
    assert {item.receipt for item in seen} == {a_receipt()}
    assert history.of_key(key_id, PageRequest(50)).items == seen
    other_user = history.of_user(fresh("user"), PageRequest(50, Cursor(NOON, made[0])))
    assert (other_user.items, other_user.next) == ([], None)


def test_list_continues_after_a_megabyte(history: DynamoExecutionHistory, fresh: Callable[[str], str]) -> None:
    user = fresh("user")
    made = [_put_large_row(history, user, number) for number in range(25)]
    page = history.of_user(user, PageRequest(15))
    assert [item.execution_id for item in page.items] == made[:9:-1]
    rest = history.of_user(user, PageRequest(15, page.next))
    assert ([item.execution_id for item in rest.items], rest.next) == (made[9::-1], None)


def _put_large_row(history: DynamoExecutionHistory, user: str, number: int) -> str:
    """Store an execution of 100 KB and return its id."""
    row = {"execution_id": f"exe_{user}_{number:02}", "user_id": user, "resource_id": "res_1", "state": "DONE"}
    row |= {"created_at": f"2026-11-22T12:00:{number:02}.000000Z", "generation_id": "g" * 100_000}
    item = {name: {"S": value} for name, value in row.items()} | {"resource_revision": {"N": "1"}}
    client("dynamodb").put_item(TableName=history._table_name, Item=item)
    return row["execution_id"]


def test_execution_of_another_user_is_none(
    cloud: App, history: DynamoExecutionHistory, ledger: DynamoLedger, fresh: Callable[[str], str]
) -> None:
    bucket = cloud.name("MEDIA_BUCKET")
    deps = OutputDeps(
        executions=history, answers=S3AnswerStore(bucket), links=S3OutputLinks(bucket), clock=SystemClock()
    )
    opening = an_opening(fresh("exe"))
    ledger.open(opening)
    ledger.close(opening, a_closing())
    alice, bob = (Identity(user, frozenset({Scope.READ})) for user in ("user_alice", "user_bob"))
    assert read_execution(opening.execution_id, alice, deps)[1] == {"success": True}
    bodies = []
    for execution_id in (opening.execution_id, "exe_none"):
        with pytest.raises(NotFound) as caught:
            read_execution(execution_id, bob, deps)
        bodies.append(caught.value.body())
    assert bodies[0] == bodies[1]
