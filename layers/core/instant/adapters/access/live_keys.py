"""The hashes of a user's usable API keys, in one item per user: reads are consistent, which no index offers."""

from collections.abc import Iterable
from typing import Any

from botocore.exceptions import ClientError

from instant.adapters.aws.client import client
from instant.adapters.aws.transactions import is_refused


class LiveKeys:
    """Sets of hashes in the table of API keys; a hash is removed with, or some time after, the end of its key."""

    def __init__(self, table_name: str) -> None:
        """Use the table of this name."""
        self._table_name = table_name

    def of(self, user_id: str) -> frozenset[str] | None:
        """The user's hashes; None if the keys that this user had before they were counted are not in the set yet."""
        reply = client("dynamodb").get_item(**self._item(user_id), ConsistentRead=True)
        item = reply.get("Item", {})
        return frozenset(item.get("live", {}).get("SS", ())) if "counted_since" in item else None

    def begin(self, user_id: str, hashes: Iterable[str], now: str) -> None:
        """Begin to count, with the keys that the user has; a concurrent request that did the same is not an error."""
        begun = {":now": {"S": now}, **_set(hashes)}
        add = " ADD live :keys" if ":keys" in begun else ""
        client("dynamodb").update_item(
            **self._item(user_id),
            UpdateExpression=f"SET counted_since = if_not_exists(counted_since, :now){add}",
            ExpressionAttributeValues=begun,
        )

    def addition(self, user_id: str, key_hash: str, most: int) -> dict[str, Any]:
        """The write that adds a hash; its condition is that the set has less than `most`."""
        return {
            "Update": {
                **self._item(user_id),
                "UpdateExpression": "ADD live :keys",
                "ConditionExpression": "attribute_exists(counted_since) AND "
                "(attribute_not_exists(live) OR size(live) < :most)",
                "ExpressionAttributeValues": {**_set([key_hash]), ":most": {"N": str(most)}},
            }
        }

    def remove(self, user_id: str, hashes: Iterable[str]) -> None:
        """Remove hashes; users whose keys are not counted have no item, and get none."""
        ended = _set(hashes)
        if not ended:
            return
        try:
            client("dynamodb").update_item(
                **self._item(user_id),
                UpdateExpression="DELETE live :keys",
                ConditionExpression="attribute_exists(key_hash)",
                ExpressionAttributeValues=ended,
            )
        except ClientError as error:
            if not is_refused(error):
                raise

    def _item(self, user_id: str) -> dict[str, Any]:
        return {"TableName": self._table_name, "Key": {"key_hash": {"S": f"user#{user_id}"}}}


def _set(hashes: Iterable[str]) -> dict[str, Any]:
    """The value of an expression; DynamoDB has no empty sets."""
    listed = sorted(hashes)
    return {":keys": {"SS": listed}} if listed else {}
