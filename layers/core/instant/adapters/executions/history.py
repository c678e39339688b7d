"""Past executions in DynamoDB, read only."""

from collections.abc import Mapping
from typing import Any, override

from instant.adapters.aws.client import client
from instant.adapters.aws.pages import first_items, page_of
from instant.domain.executions.execution import Execution, State, StoredAnswer
from instant.domain.executions.receipt import Receipt
from instant.domain.page import Page, PageRequest
from instant.ports.executions.history import ExecutionHistory, ExecutionReader


class DynamoExecutionHistory(ExecutionReader, ExecutionHistory):
    """Reads the rows that the ledger wrote."""

    def __init__(self, table_name: str) -> None:
        """Use the table of this name."""
        self._table_name = table_name

    @override
    def get(self, execution_id: str) -> Execution | None:
        reply = client("dynamodb").get_item(
            TableName=self._table_name, Key={"execution_id": {"S": execution_id}}, ConsistentRead=True
        )
        return execution_of(reply["Item"]) if "Item" in reply else None

    @override
    def is_cancelled(self, execution_id: str) -> bool:
        reply = client("dynamodb", short_timeout=True).get_item(
            TableName=self._table_name,
            Key={"execution_id": {"S": execution_id}},
            ConsistentRead=True,
            ProjectionExpression="cancel_requested_at",
        )
        return bool(reply.get("Item"))

    @override
    def of_user(self, user_id: str, page: PageRequest) -> Page[Execution]:
        return self._page("by_user", "user_id", user_id, page)

    @override
    def of_key(self, api_key_id: str, page: PageRequest) -> Page[Execution]:
        return self._page("by_api_key", "api_key_id", api_key_id, page)

    @override
    def since(self, user_id: str, since: str, page: PageRequest) -> Page[Execution]:
        return self._page("by_user", "user_id", user_id, page, since)

    def _page(self, index: str, name: str, value: str, page: PageRequest, since: str = "0") -> Page[Execution]:
        """A page of the executions in one partition of an index, newest first; uses as many queries as needed."""
        query: dict[str, Any] = {
            "TableName": self._table_name,
            "IndexName": index,
            "KeyConditionExpression": f"{name} = :value AND created_at >= :since",
            "ExpressionAttributeValues": {":value": {"S": value}, ":since": {"S": since}},
            "ScanIndexForward": False,
        }
        if page.after:
            query["ExclusiveStartKey"] = {
                name: {"S": value},
                "created_at": {"S": page.after.sort},
                "execution_id": {"S": page.after.item_id},
            }
        found = map(execution_of, first_items(query, page.limit + 1))
        return page_of(list(found), page.limit, lambda execution: (execution.created_at, execution.execution_id))


def execution_of(item: dict[str, Any]) -> Execution:
    """The execution in a row of the table, or of an index."""
    text = {name: value["S"] for name, value in item.items() if "S" in value}
    number = {name: int(value["N"]) for name, value in item.items() if "N" in value}
    return Execution(
        execution_id=text["execution_id"],
        user_id=text["user_id"],
        resource_id=text["resource_id"],
        resource_revision=number["resource_revision"],
        state=State(text["state"]),
        model=text.get("model"),
        key_source=text.get("key_source"),
        created_at=text["created_at"],
        api_key_id=text.get("api_key_id"),
        finished_at=text.get("finished_at"),
        reconciled_at=text.get("reconciled_at"),
        latency_ms=number.get("latency_ms"),
        error_code=text.get("error_code"),
        fingerprint=text.get("fingerprint"),
        lease_expires_at=text.get("lease_expires_at"),
        was_delivered="delivered" in number,
        streamed="streamed" in number,
        cancel_requested_at=text.get("cancel_requested_at"),
        receipt=receipt_in(text, number),
        answer=StoredAnswer(text=text.get("answer"), object_key=text.get("answer_key")),
    )


def receipt_in(text: Mapping[str, str], number: Mapping[str, int]) -> Receipt:
    """The receipt in the text and number attributes of a row."""
    return Receipt(
        generation_id=text.get("generation_id"),
        model=text.get("model_served"),
        provider=text.get("provider"),
        finish_reason=text.get("finish_reason"),
        prompt_tokens=number.get("prompt_tokens"),
        completion_tokens=number.get("completion_tokens"),
        cost_nanousd=number.get("cost_nanousd"),
    )
