"""Retry pointers in DynamoDB: one row of the limits table for each content, written by one conditional update."""

from collections.abc import Mapping
from typing import Any, override

from botocore.exceptions import ClientError

from instant.adapters.aws.client import client
from instant.ports.executions.retry_pointers import RetryPointer, RetryPointers

HOUR = 3_600
"""TTL of rows after their last use: it only removes old rows, correctness does not depend on it."""


class DynamoRetryPointers(RetryPointers):
    """Writes rows whose names begin with `join#`."""

    def __init__(self, limits_table: str) -> None:
        """Use the table of this name."""
        self._table = limits_table

    @override
    def begin(self, name: str, pointer: RetryPointer) -> RetryPointer:
        is_first = "attribute_not_exists(received_at) OR by_retry = :no OR received_at <= :received_at"
        return self._put(name, pointer, is_first, {":no": {"BOOL": False}})

    @override
    def join(self, name: str, pointer: RetryPointer, *, since: int) -> RetryPointer:
        is_old = "attribute_not_exists(received_at) OR received_at < :since"
        return self._put(name, pointer, is_old, {":since": {"N": str(since)}})

    @override
    def forget(self, name: str, key: str) -> None:
        values = {":key": {"S": key}, ":never": {"N": "0"}}
        try:
            self._update(name, "SET received_at = :never", "idempotency_key = :key", values)
        except ClientError as error:
            _row_instead(error)

    def _put(self, name: str, pointer: RetryPointer, condition: str, more: Mapping[str, Any]) -> RetryPointer:
        values = {
            ":key": {"S": pointer.key},
            ":received_at": {"N": str(pointer.received_at)},
            ":by_retry": {"BOOL": pointer.by_retry},
            ":expiry": {"N": str(pointer.received_at // 1000 + HOUR)},
        }
        update = "SET idempotency_key = :key, received_at = :received_at, by_retry = :by_retry, expires_at = :expiry"
        try:
            self._update(name, update, condition, {**values, **more})
        except ClientError as error:
            row = _row_instead(error)
            return RetryPointer(
                key=row["idempotency_key"]["S"],
                received_at=int(row["received_at"]["N"]),
                by_retry=row["by_retry"]["BOOL"],
            )
        return pointer

    def _update(self, name: str, expression: str, condition: str, values: Mapping[str, Any]) -> None:
        client("dynamodb", short_timeout=True).update_item(
            TableName=self._table,
            Key={"name": {"S": f"join#{name}"}},
            UpdateExpression=expression,
            ConditionExpression=condition,
            ExpressionAttributeValues=values,
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )


def _row_instead(error: ClientError) -> Mapping[str, Any]:
    """The row that did not fulfil the condition; any other error is raised."""
    if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
        raise error
    row: Mapping[str, Any] = error.response.get("Item", {})
    return row
