"""The faster transactions of moto leave the same tables and raise the same errors as moto itself."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.table import Table

from tests.local import quick_transactions

quick_transactions.install_fast_paths()
KEYS = st.sampled_from(["a", "b"])
STREAM = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
TABLES = ("plain", "ranged", "streamed")
CONDITIONS = (
    "attribute_not_exists(id)",
    "attribute_exists(id)",
    "n = :one",
)
UPDATES = ("SET n = :one", "SET n = n + :one", "REMOVE n", "SET members.x = :one", "ADD n :one")


def backend() -> DynamoDBBackend:
    """A backend with a table of one key, a table of two keys, and a table with a stream; each has one item."""
    made = DynamoDBBackend("us-east-1", "123456789012")
    for name in TABLES:
        keys = [("id", "HASH"), ("sort", "RANGE")] if name == "ranged" else [("id", "HASH")]
        made.create_table(
            name,
            schema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys],
            attr=[{"AttributeName": key, "AttributeType": "S"} for key, _ in keys],
            throughput=None,
            indexes=[],
            global_indexes=[],
            streams=STREAM if name == "streamed" else None,
            billing_mode="PAY_PER_REQUEST",
            sse_specification=None,
            tags=[],
            deletion_protection_enabled=False,
            warm_throughput=None,
        )
        made.put_item(name, {key: {"S": "a"} for key, _ in keys} | {"n": {"N": "1"}, "members": {"M": {}}})
    return made


@st.composite
def writes(draw: st.DrawFn) -> dict[str, Any]:
    """One write of a transaction; its condition and its update may fail."""
    table, kind = draw(st.sampled_from(TABLES)), draw(st.sampled_from(["Put", "Update", "Delete", "ConditionCheck"]))
    key = {"id": {"S": draw(KEYS)}} | ({"sort": {"S": draw(KEYS)}} if table == "ranged" else {})
    write: dict[str, Any] = {"TableName": table, "ExpressionAttributeValues": {":one": {"N": "1"}}}
    write |= {"Item": key | {"n": {"N": "1"}, "members": {"M": {}}}} if kind == "Put" else {"Key": key}
    write |= {"UpdateExpression": draw(st.sampled_from(UPDATES))} if kind == "Update" else {}
    if kind == "ConditionCheck" or draw(st.booleans()):
        write["ConditionExpression"] = draw(st.sampled_from(CONDITIONS))
    return {kind: write}


@contextmanager
def original_moto() -> Iterator[None]:
    """Moto without the patches."""
    with ExitStack() as stack:
        stack.enter_context(mock.patch.object(DynamoDBBackend, "update_item", quick_transactions.SLOW_UPDATE))
        replaced = Table.__deepcopy__  # type: ignore[attr-defined]
        del Table.__deepcopy__  # type: ignore[attr-defined]
        stack.callback(setattr, Table, "__deepcopy__", replaced)
        yield


def outcomes(transactions: list[list[dict[str, Any]]]) -> list[Any]:
    """The error and all tables, with the records of their streams, after each transaction."""
    found: list[Any] = []
    cloud = backend()
    for transaction in transactions:
        try:
            cloud.transact_write_items(transaction)
            error = ""
        except Exception as raised:
            error = f"{type(raised).__name__} {raised}"
        found.append((error, [state(cloud.tables[name]) for name in TABLES]))
    return found


def state(table: Table) -> Any:
    """The items of a table, and how many records its stream has."""
    return [item.to_json() for item in table.all_items()], len(table.stream_shard.items if table.stream_shard else [])


TRANSACTIONS = st.lists(st.lists(writes(), min_size=1, max_size=4), min_size=1, max_size=6)


@given(TRANSACTIONS)
def test_quick_transactions_leave_the_same_tables_and_errors(transactions: list[list[dict[str, Any]]]) -> None:
    quick = outcomes(transactions)
    with original_moto():
        assert outcomes(transactions) == quick


@pytest.mark.parametrize("table", ["plain", "ranged"])
def test_cancelled_transaction_restores_an_updated_item(table: str) -> None:
    cloud = backend()
    key = {"id": {"S": "a"}} | ({"sort": {"S": "a"}} if table == "ranged" else {})
    put = {"Put": {"TableName": table, "Item": key | {"n": {"N": "1"}}}}
    cloud.transact_write_items([put])
    kept = quick_transactions.items_of(cloud.tables[table])
    before = state(cloud.tables[table])
    values = {":one": {"N": "1"}}
    update = {"TableName": table, "Key": key, "UpdateExpression": "ADD n :one", "ExpressionAttributeValues": values}
    missing = {"TableName": "plain", "Key": {"id": {"S": "b"}}, "ConditionExpression": "attribute_exists(id)"}
    with pytest.raises(Exception, match="ConditionalCheckFailed"):
        cloud.transact_write_items([{"Update": update}, {"ConditionCheck": missing}])
    assert state(cloud.tables[table]) == before
    cloud.transact_write_items([{"Update": update}])
    assert state(cloud.tables[table]) != before
    cloud.tables[table].items = kept
    assert state(cloud.tables[table]) == before
