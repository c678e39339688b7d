"""The row `catalog#sync` of the limits table: the lease of the catalog sync, and the record of the last sync."""

from dataclasses import asdict, fields
from datetime import datetime
from typing import Any, override

from botocore.exceptions import ClientError

from instant.adapters.aws.client import client
from instant.domain.catalog.model import SyncRecord
from instant.domain.clock import format_time
from instant.ports.catalog.sync_lease import SyncLease, Taken

_KEY = {"name": {"S": "catalog#sync"}}
_IS_MINE = "lease_holder = :holder"
_RENAMED = {"notified_at": "told_at"}
"""Fields that are stored under an earlier name."""

_ATTRIBUTES = {field.name: _RENAMED.get(field.name, field.name) for field in fields(SyncRecord)}


class DynamoSyncLease(SyncLease):
    """A lease with one holder at a time; every step is one conditional write."""

    def __init__(self, limits_table: str) -> None:
        """Use the table of this name."""
        self._table = limits_table

    @override
    def take(self, holder: str, now: datetime, until: datetime) -> Taken | None:
        """Acquire the lease, unless another holder's lease is active; a repeat by the same holder succeeds.

        The same write removes the validator, so that the next run reads the catalog even if this one is interrupted.
        """
        try:
            reply = client("dynamodb").update_item(
                TableName=self._table,
                Key=_KEY,
                UpdateExpression="SET lease_holder = :holder, lease_until = :until REMOVE validator",
                ConditionExpression=f"attribute_not_exists(lease_holder) OR lease_until < :now OR {_IS_MINE}",
                ExpressionAttributeValues=_values(holder=holder, now=format_time(now), until=format_time(until)),
                ReturnValues="ALL_OLD",
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return None
            raise
        return Taken(_record(reply.get("Attributes", {})))

    @override
    def finish(self, holder: str, record: SyncRecord) -> None:
        """Record a successful sync and release the lease; repeating the same record succeeds."""
        facts = {_ATTRIBUTES[name]: value for name, value in asdict(record).items() if value is not None}
        client("dynamodb").update_item(
            TableName=self._table,
            Key=_KEY,
            UpdateExpression=f"SET {', '.join(f'{name} = :{name}' for name in facts)} REMOVE lease_holder, lease_until",
            ConditionExpression=f"{_IS_MINE} OR synced_at = :synced_at",
            ExpressionAttributeValues=_values(holder=holder, **facts),
        )

    @override
    def drop(self, holder: str) -> None:
        try:
            client("dynamodb").update_item(
                TableName=self._table,
                Key=_KEY,
                UpdateExpression="REMOVE lease_holder, lease_until",
                ConditionExpression=_IS_MINE,
                ExpressionAttributeValues=_values(holder=holder),
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise


def read_record(limits_table: str) -> SyncRecord | None:
    """The record of the last successful sync, with a consistent read."""
    reply = client("dynamodb").get_item(TableName=limits_table, Key=_KEY, ConsistentRead=True)
    return _record(reply.get("Item", {}))


def _record(item: dict[str, Any]) -> SyncRecord | None:
    """The record in the row; None if no sync has succeeded yet."""
    known: dict[str, Any] = {name: _plain(item[stored]) for name, stored in _ATTRIBUTES.items() if stored in item}
    return SyncRecord(**known) if "synced_at" in known else None


def _plain(value: dict[str, str]) -> str | int:
    return int(value["N"]) if "N" in value else value["S"]


def _values(**attributes: str | int) -> dict[str, dict[str, str]]:
    return {
        f":{name}": {"N": str(value)} if isinstance(value, int) else {"S": value} for name, value in attributes.items()
    }
