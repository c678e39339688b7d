"""The simulated cloud's stores, emptied or set back at once: through the API it would take a second."""

from typing import Any

from moto.core.model_instances import model_data
from moto.dynamodb.models import dynamodb_backends
from moto.s3.models import FakeKey, s3_backends

from tests.local.quick_transactions import items_of

_ACCOUNT = "123456789012"


class _Untracked(list[object]):
    """A list that stays empty."""

    def append(self, _: object) -> None:
        """Keep nothing."""


def keep_no_copies() -> None:
    """Let moto free a row once no table has it, until the next reset.

    moto lists every instance of its models, for its dashboard: each row that was ever written, and a copy of the whole
    table for each transaction. S3's list stays: by it the files of the objects are closed.
    """
    for model in model_data["dynamodb"].values():
        model.instances_tracked = _Untracked()  # type: ignore[attr-defined]


def has_table(name: str) -> bool:
    """Whether a table of this name is in any region."""
    return any(name in region.tables for region in dynamodb_backends[_ACCOUNT].values())


def empty_stores() -> None:
    """Leave every table and bucket in place with nothing in it."""
    for region in dynamodb_backends[_ACCOUNT].values():
        for table in region.tables.values():
            table.items.clear()
    for bucket in s3_backends[_ACCOUNT]["aws"].buckets.values():
        bucket.keys.clear()
    for key in FakeKey.instances_tracked:  # type: ignore[attr-defined]
        key.dispose()
    FakeKey.instances_tracked.clear()  # type: ignore[attr-defined]


def kept_tables() -> Any:
    """What is in all tables, for `set_back`."""
    return {
        (region, name): items_of(table)
        for region, backend in dynamodb_backends[_ACCOUNT].items()
        for name, table in backend.tables.items()
    }


def set_back(kept: Any) -> None:
    """Make all tables what they were."""
    for (region, name), items in kept.items():
        table = dynamodb_backends[_ACCOUNT][region].tables[name]
        table.items = items
        table.items = items_of(table)
