"""Write or delete many items of one table; unprocessed items are retried with backoff."""

import time
from collections.abc import Iterable, Mapping
from itertools import batched
from typing import Any

from instant.adapters.aws.batch_reads import name_of
from instant.adapters.aws.client import client
from instant.adapters.aws.tables import Table
from instant.domain.backoff import Backoff
from instant.domain.errors import UpstreamUnavailable

MAX_ITEMS = 25
"""Maximum number of items per BatchWriteItem."""

_BACKOFF = Backoff(attempts=10, initial=0.1, max=25.6)
"""The delays add up to 51 s at most, and to half of that on average."""


def write_items(table: type[Table], rows: Iterable[Table]) -> None:
    """Store these rows in sequential requests; raises `UpstreamUnavailable` if the table stays throttled."""
    put_items(name_of(table), (row.serialize() for row in rows))


def put_items(table: str, items: Iterable[Mapping[str, Any]]) -> None:
    """Store these items, in DynamoDB's own format, in the table of this name; see `write_items`."""
    for batch in batched(items, MAX_ITEMS, strict=False):
        _insist(table, [{"PutRequest": {"Item": item}} for item in batch])


def delete_items(table_name: str, keys: Iterable[dict[str, Any]]) -> None:
    """Delete the rows with these keys in sequential requests, like `write_items`."""
    for batch in batched(keys, MAX_ITEMS, strict=False):
        _insist(table_name, [{"DeleteRequest": {"Key": key}} for key in batch])


def _insist(table: str, requests: list[dict[str, Any]]) -> None:
    """A table that is new, or has much traffic, accepts only a limited number of writes per second."""
    for delay in (0.0, *_BACKOFF.delays()):
        time.sleep(delay)
        reply = client("dynamodb").batch_write_item(RequestItems={table: requests})
        requests = reply.get("UnprocessedItems", {}).get(table, [])
        if not requests:
            return
    raise UpstreamUnavailable("The database is busy. Try again in a moment.", retry_after=1)
