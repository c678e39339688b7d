"""What a user executed in some time, from the index of users, read only."""

from typing import Any

from instant.adapters.aws import client
from instant.adapters.execution_history import execution_of
from instant.adapters.pages import page_of
from instant.domain.execution import Execution
from instant.domain.page import Page, PageRequest


class DynamoUsageHistory:
    """Reads what the ledger wrote."""

    def __init__(self, table_name: str) -> None:
        """Use the table of this name."""
        self._table_name = table_name

    def since(self, user_id: str, since: str, page: PageRequest) -> Page[Execution]:
        """A user's executions from this moment on, newest first; as many queries as their number takes."""
        query: dict[str, Any] = {
            "TableName": self._table_name,
            "IndexName": "by_user",
            "KeyConditionExpression": "user_id = :user AND created_at >= :since",
            "ExpressionAttributeValues": {":user": {"S": user_id}, ":since": {"S": since}},
            "ScanIndexForward": False,
        }
        if page.after:
            query["ExclusiveStartKey"] = {
                "user_id": {"S": user_id},
                "created_at": {"S": page.after.sort},
                "execution_id": {"S": page.after.item_id},
            }
        found = self._first(query, page.limit + 1)
        return page_of([execution_of(item) for item in found], page.limit, lambda e: (e.created_at, e.execution_id))

    def _first(self, query: dict[str, Any], count: int) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        while True:
            reply = client("dynamodb").query(**query, Limit=count - len(items))
            items += reply["Items"]
            if len(items) >= count or "LastEvaluatedKey" not in reply:
                return items
            query = {**query, "ExclusiveStartKey": reply["LastEvaluatedKey"]}
