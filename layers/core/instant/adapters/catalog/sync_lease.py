"""The row `catalog#sync` of the limits table: the sync's lease, its last record, and a waiting order."""

from dataclasses import asdict, fields
from datetime import datetime
from typing import Any, override

from botocore.exceptions import ClientError

from instant.adapters.aws.client import client
from instant.domain.catalog.model import SyncRecord
from instant.domain.catalog.sync_run import SyncOrder
from instant.domain.clock import format_time
from instant.ports.catalog.sync_lease import QueuedOrder, SyncLease, Taken

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
        row = reply.get("Attributes", {})
        return Taken(_record(row), _queued(row))

    @override
    def queue(self, order_id: str, order: SyncOrder, now: datetime) -> bool:
        """Leave the order in the row; checks that an earlier order disables stay disabled."""
        flags = "".join(f", order_{name} = :true" for name, is_set in asdict(order).items() if is_set)
        return self._update(
            f"SET order_id = :order_id{flags}",
            "attribute_exists(lease_holder) AND lease_until >= :now",
            {
                **_values(order_id=order_id, now=format_time(now)),
                **({":true": {"BOOL": True}} if flags else {}),
            },
        )

    @override
    def unqueue(self, order_id: str) -> None:
        flags = ", ".join(f"order_{field.name}" for field in fields(SyncOrder))
        self._update(f"REMOVE order_id, {flags}", "order_id = :order_id", _values(order_id=order_id))

    @override
    def finish(self, holder: str, record: SyncRecord) -> QueuedOrder | None:
        """Record a successful sync and release the lease; repeating the same record succeeds."""
        facts = {_ATTRIBUTES[name]: value for name, value in asdict(record).items() if value is not None}
        reply = client("dynamodb").update_item(
            TableName=self._table,
            Key=_KEY,
            UpdateExpression=f"SET {', '.join(f'{name} = :{name}' for name in facts)} REMOVE lease_holder, lease_until",
            ConditionExpression=f"{_IS_MINE} OR synced_at = :synced_at",
            ExpressionAttributeValues=_values(holder=holder, **facts),
            ReturnValues="ALL_NEW",
        )
        return _queued(reply.get("Attributes", {}))

    @override
    def drop(self, holder: str) -> QueuedOrder | None:
        """Release the lease; a lease of another holder stays, with the order."""
        reply = self._attributes("REMOVE lease_holder, lease_until", _IS_MINE, _values(holder=holder))
        return _queued(reply or {})

    def _update(self, expression: str, condition: str, values: dict[str, Any]) -> bool:
        """Update the row; False if the condition does not hold."""
        return self._attributes(expression, condition, values) is not None

    def _attributes(self, expression: str, condition: str, values: dict[str, Any]) -> dict[str, Any] | None:
        """Update the row, and return it; None if the condition does not hold."""
        try:
            reply = client("dynamodb").update_item(
                TableName=self._table,
                Key=_KEY,
                UpdateExpression=expression,
                ConditionExpression=condition,
                ExpressionAttributeValues=values,
                ReturnValues="ALL_NEW",
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return None
        return dict(reply.get("Attributes", {}))


def read_record(limits_table: str) -> SyncRecord | None:
    """The record of the last successful sync, with a consistent read."""
    reply = client("dynamodb").get_item(TableName=limits_table, Key=_KEY, ConsistentRead=True)
    return _record(reply.get("Item", {}))


def _record(item: dict[str, Any]) -> SyncRecord | None:
    """The record in the row; None if no sync has succeeded yet."""
    known: dict[str, Any] = {name: _plain(item[stored]) for name, stored in _ATTRIBUTES.items() if stored in item}
    return SyncRecord(**known) if "synced_at" in known else None


def _queued(row: dict[str, Any]) -> QueuedOrder | None:
    """The order that is waiting in the row."""
    if "order_id" not in row:
        return None
    flags = {field.name: f"order_{field.name}" in row for field in fields(SyncOrder)}
    return QueuedOrder(row["order_id"]["S"], SyncOrder(**flags))


def _plain(value: dict[str, str]) -> str | int:
    return int(value["N"]) if "N" in value else value["S"]


def _values(**attributes: str | int) -> dict[str, dict[str, str]]:
    return {
        f":{name}": {"N": str(value)} if isinstance(value, int) else {"S": value} for name, value in attributes.items()
    }
