"""Executions that are not closed, found by an index that has only them."""

import logging
import random
from collections.abc import Iterator
from typing import Any, override

from instant.adapters.aws.client import client
from instant.adapters.executions.ledger_rows import SHARDS, open_run_of
from instant.domain.executions.execution import OpenRun
from instant.ports.executions.ledger import OpenRuns

MAX_PER_SHARD = 200
"""How many executions of one shard are looked after in one go, so that every shard has its turn."""

_log = logging.getLogger(__name__)


class DynamoOpenRuns(OpenRuns):
    """Reads what the ledger wrote."""

    def __init__(self, executions_table: str) -> None:
        """Use the table of this name."""
        self._table = executions_table

    @override
    def due(self, now: str) -> Iterator[OpenRun]:
        """Those that are to be looked after by `now`, longest due first in each shard, read consistently.

        The index may be behind: what has been closed, or put off, since is left out. Each time another shard is the
        first, so that none has to wait for the others; a row that cannot be read keeps no other from its turn.
        """
        first = random.randrange(SHARDS)
        for shard in range(first, first + SHARDS):
            for key in self._keys(shard % SHARDS, now):
                row = self._row(key)
                if row and "open_shard" in row and row["due_at"]["S"] <= now:
                    yield from _read(row)

    def _keys(self, shard: int, now: str) -> list[dict[str, Any]]:
        reply = client("dynamodb").query(
            TableName=self._table,
            IndexName="open",
            KeyConditionExpression="open_shard = :shard AND due_at <= :now",
            ExpressionAttributeValues={":shard": {"S": str(shard)}, ":now": {"S": now}},
            Limit=MAX_PER_SHARD,
        )
        return [{"execution_id": item["execution_id"]} for item in reply["Items"]]

    def _row(self, key: dict[str, Any]) -> dict[str, Any] | None:
        reply = client("dynamodb").get_item(TableName=self._table, Key=key, ConsistentRead=True)
        return dict(reply["Item"]) if "Item" in reply else None


def _read(row: dict[str, Any]) -> Iterator[OpenRun]:
    try:
        yield open_run_of(row)
    except (KeyError, ValueError):
        _log.exception("an execution cannot be read", extra={"execution_id": row["execution_id"]["S"]})
