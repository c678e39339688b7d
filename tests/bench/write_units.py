"""DynamoDB write units: of the rows, double in a transaction, and of their changes in the indexes."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import ceil
from typing import Any
from unittest import mock

from botocore.awsrequest import AWSRequest
from moto.core.botocore_stubber import BotocoreStubber

from instant.adapters.aws import client as aws

type Item = Mapping[str, Any]
type Tables = dict[str, dict[str, Item]]

_KILOBYTE = 1_024


@dataclass
class WriteUnits:
    """Write units by operation."""

    units: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """The sum over all operations."""
        return sum(self.units.values())

    def add(self, operation: str, units: int) -> None:
        """Add the units of one call."""
        if units:
            self.units[operation] = self.units.get(operation, 0) + units


@contextmanager
def counted_units() -> Iterator[WriteUnits]:
    """Count the units of all writes, computed from the rows before and after each call."""
    units_by_operation, process = WriteUnits(), BotocoreStubber.process_request
    described = [_described(name) for name in aws.client("dynamodb").list_tables()["TableNames"]]

    def count_units(self: BotocoreStubber, request: AWSRequest) -> Any:
        operation = _operation(request)
        if operation not in {"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"}:
            return process(self, request)
        with mock.patch.object(BotocoreStubber, "process_request", process):
            before = _rows(described)
        reply = process(self, request)
        with mock.patch.object(BotocoreStubber, "process_request", process):
            after = _rows(described)
        times = 2 if operation == "TransactWriteItems" else 1
        units_by_operation.add(operation, sum(_cost(table, before, after, times) for table in described))
        return reply

    with mock.patch.object(BotocoreStubber, "process_request", count_units):
        yield units_by_operation


def _described(name: str) -> dict[str, Any]:
    return dict(aws.client("dynamodb").describe_table(TableName=name)["Table"])


def _rows(described: list[dict[str, Any]]) -> Tables:
    scan = aws.client("dynamodb").scan
    return {
        table["TableName"]: {
            _key(table["KeySchema"], item): item for item in scan(TableName=table["TableName"])["Items"]
        }
        for table in described
    }


def _cost(table: dict[str, Any], before: Tables, after: Tables, times: int) -> int:
    old, new = before[table["TableName"]], after[table["TableName"]]
    changed = [(old.get(key), new.get(key)) for key in old.keys() | new.keys() if old.get(key) != new.get(key)]
    indexes = table.get("GlobalSecondaryIndexes", [])
    rows = sum(times * max(_units(one), _units(other)) for one, other in changed)
    return rows + sum(_index_cost(table, index, one, other) for index in indexes for one, other in changed)


def _index_cost(table: dict[str, Any], index: dict[str, Any], old: Item | None, new: Item | None) -> int:
    """The units of an index: it is written if the projected attributes change; a new key is a delete and a put."""
    one, other = _projection(table, index, old), _projection(table, index, new)
    if one == other:
        return 0
    if one and other and _key(index["KeySchema"], one) != _key(index["KeySchema"], other):
        return _units(one) + _units(other)
    return max(_units(one), _units(other))


def _projection(table: dict[str, Any], index: dict[str, Any], item: Item | None) -> Item | None:
    """The projection of a row into an index; None if the row has not all of its keys."""
    keys = [part["AttributeName"] for part in (*index["KeySchema"], *table["KeySchema"])]
    if item is None or not set(keys) <= item.keys():
        return None
    projection = index["Projection"]
    if projection["ProjectionType"] == "ALL":
        return item
    names = {*keys, *projection.get("NonKeyAttributes", ())}
    return {name: value for name, value in item.items() if name in names}


def _units(item: Item | None) -> int:
    return ceil(_size(item) / _KILOBYTE) if item else 0


def _size(item: Item) -> int:
    """The approximate size for DynamoDB: names and values as UTF-8."""
    return sum(len(name) + len(json.dumps(next(iter(value.values())), default=list)) for name, value in item.items())


def _key(schema: list[dict[str, str]], item: Item) -> str:
    return "#".join(str(item[part["AttributeName"]]) for part in schema)


def _operation(request: AWSRequest) -> str:
    target = request.headers.get("X-Amz-Target", "")
    return (target.decode() if isinstance(target, bytes) else str(target)).rpartition(".")[2]


def units_of(run: Callable[[], object]) -> WriteUnits:
    """The write units of `run`."""
    with counted_units() as units_by_operation:
        run()
    return units_by_operation
