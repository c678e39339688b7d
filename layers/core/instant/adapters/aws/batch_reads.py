"""Many items by their keys, across tables, in one round trip."""

import time
from collections.abc import Sequence
from typing import Any

from instant.adapters.aws.client import client
from instant.adapters.aws.tables import Table
from instant.domain.backoff import Backoff
from instant.domain.errors import UpstreamUnavailable

MAX_KEYS = 100
"""Maximum number of keys per BatchGetItem."""

_BACKOFF = Backoff(attempts=3, initial=0.05, max=0.1)


def read_items(wanted: dict[str, Any]) -> dict[str, list[Any]]:
    """Read all `wanted` keys; unprocessed keys are retried, missing rows are left out."""
    found: dict[str, list[Any]] = {}
    for delay in (0.0, *_BACKOFF.delays()):
        time.sleep(delay)
        reply = client("dynamodb").batch_get_item(RequestItems=wanted)
        for table, items in reply["Responses"].items():
            found.setdefault(table, []).extend(items)
        wanted = reply.get("UnprocessedKeys")
        if not wanted:
            return found
    raise UpstreamUnavailable("The database is busy. Try again in a moment.", retry_after=1)


def these(keys: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The request for one table: at most `MAX_KEYS` keys, with consistent reads."""
    return {"Keys": keys, "ConsistentRead": True}


def name_of(table: type[Table]) -> str:
    """The table's physical name."""
    return str(table.Meta.table_name)
