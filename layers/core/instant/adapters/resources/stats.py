"""Resource statistics in DynamoDB: one Query reads thirty daily buckets and the totals, all shards."""

from datetime import datetime
from typing import Any, override

from instant.adapters.aws.client import client
from instant.domain.resources.stats import Stats, window_start
from instant.ports.resources.stats import StatsStore


class DynamoStatsStore(StatsStore):
    """Reads the counters that the ledger's closing transactions update."""

    def __init__(self, table_name: str) -> None:
        """Use the table of this name."""
        self._table_name = table_name

    @override
    def of(self, resource_id: str, now: datetime) -> Stats:
        rows = self._rows(resource_id, f"day#{window_start(now.date())}#", "total#~")
        today = f"day#{now.date()}#~"
        days = [row for row in rows if row["bucket"]["S"] <= today]
        totals = [row for row in rows if row["bucket"]["S"].startswith("total#")]
        return Stats(
            call_count=_sum(totals, "calls"),
            success_count_30d=_sum(days, "successes"),
            failure_count_30d=_sum(days, "failures"),
            own_success_count_30d=_sum(days, "own_successes"),
            own_failure_count_30d=_sum(days, "own_failures"),
            cost_nanousd_30d=_sum(days, "cost_nanousd"),
            last_called_at=max((row["last_called_at"]["S"] for row in totals), default=None),
        )

    def _rows(self, resource_id: str, first: str, last: str) -> list[dict[str, Any]]:
        pages = (
            client("dynamodb")
            .get_paginator("query")
            .paginate(
                TableName=self._table_name,
                KeyConditionExpression="resource_id = :resource AND #bucket BETWEEN :first AND :last",
                ExpressionAttributeNames={"#bucket": "bucket"},
                ExpressionAttributeValues={
                    ":resource": {"S": resource_id},
                    ":first": {"S": first},
                    ":last": {"S": last},
                },
            )
        )
        return [row for page in pages for row in page["Items"]]


def _sum(rows: list[dict[str, Any]], name: str) -> int:
    return sum(int(row[name]["N"]) for row in rows if name in row)
