"""Find executions that are not closed, in a sparse index."""

import logging
import random
from collections.abc import Iterator
from typing import Any, override

from instant.adapters.aws.client import client
from instant.adapters.aws.pages import first_items
from instant.adapters.executions.ledger_rows import SHARDS, open_run_of
from instant.domain.executions.execution import OpenRun
from instant.ports.executions.ledger import OpenRuns

MAX_PER_SHARD = 200
"""Maximum number of executions per shard and run, so that every shard is processed."""

_log = logging.getLogger(__name__)


class DynamoOpenRuns(OpenRuns):
    """Reads the rows that the ledger wrote."""

    def __init__(self, executions_table: str) -> None:
        """Use the table of this name."""
        self._table = executions_table

    @override
    def due(self, now: str) -> Iterator[OpenRun]:
        """Executions due by `now`, oldest first in each shard, with consistent reads of the rows.

        The index is eventually consistent: executions closed or rescheduled since are left out. The order of shards
        rotates between runs, so that no shard is starved. An unreadable row does not block the others.
        """
        first = random.randrange(SHARDS)
        for shard in range(first, first + SHARDS):
            for key in self._keys(shard % SHARDS, now):
                row = self._row(key)
                if row and "open_shard" in row and row["due_at"]["S"] <= now:
                    yield from _read(row)

    def _keys(self, shard: int, now: str) -> list[dict[str, Any]]:
        query = {
            "TableName": self._table,
            "IndexName": "open",
            "KeyConditionExpression": "open_shard = :shard AND due_at <= :now",
            "ExpressionAttributeValues": {":shard": {"S": str(shard)}, ":now": {"S": now}},
        }
        return [{"execution_id": item["execution_id"]} for item in first_items(query, MAX_PER_SHARD)]

    def _row(self, key: dict[str, Any]) -> dict[str, Any] | None:
        reply = client("dynamodb").get_item(TableName=self._table, Key=key, ConsistentRead=True)
        return dict(reply["Item"]) if "Item" in reply else None


def _read(row: dict[str, Any]) -> Iterator[OpenRun]:
    try:
        yield open_run_of(row)
    except (KeyError, ValueError):
        _log.exception("an execution cannot be read", extra={"execution_id": row["execution_id"]["S"]})
