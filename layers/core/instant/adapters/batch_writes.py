"""Many items into one table: what DynamoDB leaves unprocessed is sent again, ever more slowly."""

import random
import time
from collections.abc import Iterable
from itertools import batched
from typing import Any

from instant.adapters.aws import client
from instant.adapters.batch_reads import name_of
from instant.adapters.tables import Table
from instant.domain.errors import UpstreamUnavailable

MOST_ITEMS = 25
"""Most items of one BatchWriteItem."""

_ATTEMPTS = 10
_FIRST_PAUSE = 0.05


def write_items(table: type[Table], rows: Iterable[Table]) -> None:
    """Store these rows, one request after the other; `UpstreamUnavailable` if the table takes no more for long."""
    for batch in batched(rows, MOST_ITEMS, strict=False):
        _insist(name_of(table), [{"PutRequest": {"Item": row.serialize()}} for row in batch])


def _insist(table: str, puts: list[dict[str, Any]]) -> None:
    """A table that is new, or written much, takes only so many a second; pauses add up to half a minute."""
    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(random.uniform(0, _FIRST_PAUSE * 2**attempt))
        reply = client("dynamodb").batch_write_item(RequestItems={table: puts})
        puts = reply.get("UnprocessedItems", {}).get(table, [])
        if not puts:
            return
    raise UpstreamUnavailable("The database is busy. Try again in a moment.", retry_after=1)
