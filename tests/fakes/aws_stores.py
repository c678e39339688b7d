"""The simulated cloud's stores, emptied or set back at once: through the API it would take a second."""

import copy
from typing import Any

from moto.dynamodb.models import dynamodb_backends
from moto.s3.models import s3_backends

_ACCOUNT = "123456789012"


def empty_stores() -> None:
    """Leave every table and bucket in place with nothing in it."""
    for region in dynamodb_backends[_ACCOUNT].values():
        for table in region.tables.values():
            table.items.clear()
    for bucket in s3_backends[_ACCOUNT]["aws"].buckets.values():
        bucket.keys.clear()


def kept_tables() -> Any:
    """What is in all tables, for `set_back`."""
    return {
        (region, name): copy.deepcopy(table.items)
        for region, backend in dynamodb_backends[_ACCOUNT].items()
        for name, table in backend.tables.items()
    }


def set_back(kept: Any) -> None:
    """Make all tables what they were."""
    for (region, name), items in kept.items():
        dynamodb_backends[_ACCOUNT][region].tables[name].items = copy.deepcopy(items)
