"""Clears and restores the tables and buckets of moto directly, because the API would take a second."""

from typing import Any

from moto.core.model_instances import model_data
from moto.dynamodb.models import dynamodb_backends
from moto.s3.models import FakeKey, s3_backends

from tests.local.quick_transactions import items_of

_ACCOUNT = "123456789012"


class _Untracked(list[object]):
    """A list that stays empty."""

    def append(self, _: object) -> None:
        """Discard the item."""


def disable_instance_tracking() -> None:
    """Stop moto's tracking of DynamoDB items, so that deleted items are freed, until the next reset.

    For its dashboard, moto keeps every instance of its models: each item ever written, and a copy of the whole table
    for each transaction. The list of S3 remains, because it is used to close the files of the objects.
    """
    for model in model_data["dynamodb"].values():
        model.instances_tracked = _Untracked()  # type: ignore[attr-defined]


def has_table(name: str) -> bool:
    """Whether any region has a table of this name."""
    return any(name in region.tables for region in dynamodb_backends[_ACCOUNT].values())


def empty_stores() -> None:
    """Delete all items and objects, but keep the tables and buckets."""
    for region in dynamodb_backends[_ACCOUNT].values():
        for table in region.tables.values():
            table.items.clear()
    for bucket in s3_backends[_ACCOUNT]["aws"].buckets.values():
        bucket.keys.clear()
    for key in FakeKey.instances_tracked:  # type: ignore[attr-defined]
        key.dispose()
    FakeKey.instances_tracked.clear()  # type: ignore[attr-defined]


def kept_tables() -> Any:
    """A copy of the items of all tables, for `set_back`."""
    return {
        (region, name): items_of(table)
        for region, backend in dynamodb_backends[_ACCOUNT].items()
        for name, table in backend.tables.items()
    }


def set_back(kept: Any) -> None:
    """Restore all tables to a copy from `kept_tables`."""
    for (region, name), items in kept.items():
        table = dynamodb_backends[_ACCOUNT][region].tables[name]
        table.items = items
        table.items = items_of(table)
