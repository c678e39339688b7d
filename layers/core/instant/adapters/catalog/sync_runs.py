"""The row `catalog#runs` of the limits table: the last runs of the catalog sync, newest first."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, override

from instant.adapters.aws.client import client
from instant.domain.catalog.sync_run import MAX_RUNS, SyncOrder, SyncResult, SyncRun
from instant.ports.catalog.sync_lease import SyncRuns, SyncStatus

_KEY = {"name": {"S": "catalog#runs"}}


class DynamoSyncRuns(SyncRuns):
    """A list of JSON texts; a run whose write is repeated is read once."""

    def __init__(self, limits_table: str) -> None:
        """Use the table of this name."""
        self._table = limits_table

    @override
    def add(self, run: SyncRun) -> None:
        """Put the run before the others, then remove those beyond the maximum: one write cannot do both."""
        text = json.dumps(asdict(run), separators=(",", ":"))
        self._update(
            "SET runs = list_append(:run, if_not_exists(runs, :none))",
            ExpressionAttributeValues={":run": {"L": [{"S": text}]}, ":none": {"L": []}},
        )
        self._update(f"REMOVE runs[{MAX_RUNS}], runs[{MAX_RUNS + 1}]")

    def _update(self, expression: str, **more: Any) -> None:
        client("dynamodb").update_item(TableName=self._table, Key=_KEY, UpdateExpression=expression, **more)


class DynamoSyncStatus(SyncStatus):
    """Reads the runs."""

    def __init__(self, limits_table: str) -> None:
        """Use the table of this name."""
        self._table = limits_table

    @override
    def last(self) -> Sequence[SyncRun]:
        reply = client("dynamodb").get_item(TableName=self._table, Key=_KEY, ConsistentRead=True)
        texts = reply.get("Item", {}).get("runs", {}).get("L", [])
        runs = [_run(json.loads(text["S"])) for text in texts]
        return list({run.run_id: run for run in runs}.values())[:MAX_RUNS]


def _run(facts: Mapping[str, Any]) -> SyncRun:
    return SyncRun(
        **{
            **facts,
            "order": SyncOrder(**facts["order"]),
            "result": SyncResult(**facts["result"]),
            "held": tuple(facts["held"]),
        }
    )
