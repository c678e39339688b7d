"""Usage counters in DynamoDB: one Query reads a user's days, with as many pages as needed."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, override

from instant.adapters.aws.client import client
from instant.domain.usage.report import COUNTED, UsageRow
from instant.ports.usage.report import UsageStore


class DynamoUsageStore(UsageStore):
    """Reads the counters that the ledger's closing transactions update."""

    def __init__(self, table_name: str) -> None:
        """Use the table of this name."""
        self._table_name = table_name

    @override
    def of_user(self, user_id: str, first: date, last: date) -> Iterator[UsageRow]:
        pages = (
            client("dynamodb")
            .get_paginator("query")
            .paginate(
                TableName=self._table_name,
                KeyConditionExpression="user_id = :user AND #bucket BETWEEN :first AND :last",
                ExpressionAttributeNames={"#bucket": "bucket"},
                ExpressionAttributeValues={
                    ":user": {"S": user_id},
                    ":first": {"S": f"{first}#"},
                    ":last": {"S": f"{last}#~"},
                },
            )
        )
        for page in pages:
            yield from map(_row, page["Items"])


def _row(item: Mapping[str, Any]) -> UsageRow:
    return UsageRow(
        day=item["bucket"]["S"].partition("#")[0],
        resource_id=item["resource_id"]["S"],
        model=item["model"]["S"] if "model" in item else None,
        api_key_id=item["api_key_id"]["S"] if "api_key_id" in item else None,
        **{name: int(item[name]["N"]) for name in COUNTED if name in item},
    )
