"""The ledger of executions in DynamoDB: every transition is one conditional write, spelled out."""

import logging
import random
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from zlib import crc32

from botocore.exceptions import ClientError

from instant.adapters.aws import client
from instant.domain.clock import moment
from instant.domain.execution import Closing, Opening, State

SHARDS = 8
"""Over how many items one resource's counters are spread, so that no single one becomes the bottleneck."""

BUCKET_DAYS = 35
"""How long daily buckets live: the window of 30 days, and some slack for late deletion."""

_CLOSE_ATTEMPTS = 6
_PASSING = {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}

_log = logging.getLogger(__name__)


class DynamoLedger:
    """Executions in one table, their statistics in another."""

    def __init__(self, executions_table: str, stats_table: str, *, days_kept: int) -> None:
        """Use the tables of these names; rows die after `days_kept` days."""
        self._executions = executions_table
        self._stats = stats_table
        self._days_kept = days_kept

    def open(self, opening: Opening) -> None:
        """Nothing -> RESERVED; the same opening again is a repeat whose first acknowledgement was lost."""
        expires = moment(opening.created_at) + timedelta(days=self._days_kept)
        client("dynamodb").put_item(
            TableName=self._executions,
            Item=_item(
                execution_id=opening.execution_id,
                state=State.RESERVED,
                user_id=opening.user_id,
                payer_id=opening.payer_id,
                key_source=opening.key_source,
                resource_id=opening.resource_id,
                resource_revision=opening.resource_revision,
                model=opening.model,
                reserved_nanousd=opening.reserved_nanousd,
                created_at=opening.created_at,
                lease_expires_at=opening.lease_expires_at,
                expires_at=int(expires.timestamp()),
            ),
            ConditionExpression="attribute_not_exists(execution_id) OR (#state = :reserved AND created_at = :created)",
            ExpressionAttributeNames={"#state": "state"},
            ExpressionAttributeValues=_values(reserved=State.RESERVED, created=opening.created_at),
        )

    def sent(self, execution_id: str, sent_at: str) -> None:
        """RESERVED -> SENT; the same stamp again is a repeat whose first acknowledgement was lost."""
        client("dynamodb").update_item(
            TableName=self._executions,
            Key=_item(execution_id=execution_id),
            UpdateExpression="SET #state = :sent, sent_at = :now",
            ConditionExpression="#state = :reserved OR (#state = :sent AND sent_at = :now)",
            ExpressionAttributeNames={"#state": "state"},
            ExpressionAttributeValues=_values(sent=State.SENT, reserved=State.RESERVED, now=sent_at),
        )

    def release(self, execution_id: str, sent_at: str) -> None:
        """RESERVED -> nothing, or SENT if that was `sent_at`, whose acknowledgement was lost."""
        client("dynamodb").delete_item(
            TableName=self._executions,
            Key=_item(execution_id=execution_id),
            ConditionExpression="#state = :reserved OR (#state = :sent AND sent_at = :now)",
            ExpressionAttributeNames={"#state": "state"},
            ExpressionAttributeValues=_values(reserved=State.RESERVED, sent=State.SENT, now=sent_at),
        )

    def close(self, opening: Opening, closing: Closing) -> None:
        """SENT -> DONE | FAILED, with one bucket of the day and one of the total.

        The row's condition is part of the transaction, so a repeated or half-acknowledged close counts once.
        """
        writes = [
            {"Update": self._end(opening.execution_id, closing)},
            {"Update": self._count(opening, closing, _day_bucket(opening, closing), _bucket_expiry(closing))},
            {"Update": self._count(opening, closing, f"total#{_shard(opening)}", None)},
        ]
        for attempt in range(_CLOSE_ATTEMPTS):
            try:
                client("dynamodb").transact_write_items(TransactItems=writes)
                return
            except ClientError as error:
                reasons = _reasons(error)
                if reasons[:1] == ["ConditionalCheckFailed"]:
                    _log.info("execution was closed before", extra={"execution_id": opening.execution_id})
                    return
                if _PASSING.isdisjoint(reasons) or attempt == _CLOSE_ATTEMPTS - 1:
                    raise
                time.sleep(random.uniform(0, 0.02 * 2**attempt))

    def unknown(self, opening: Opening, closing: Closing) -> None:
        """SENT -> UNKNOWN; nothing is counted until the outcome is known."""
        client("dynamodb").update_item(**self._end(opening.execution_id, closing))

    def _end(self, execution_id: str, closing: Closing) -> dict[str, Any]:
        receipt = closing.receipt
        facts = _values(
            finished_at=closing.finished_at,
            latency_ms=closing.latency_ms,
            error_code=closing.error_code,
            answer=closing.answer.text,
            answer_key=closing.answer.object_key,
            generation_id=receipt.generation_id,
            model_served=receipt.model,
            provider=receipt.provider,
            finish_reason=receipt.finish_reason,
            prompt_tokens=receipt.prompt_tokens,
            completion_tokens=receipt.completion_tokens,
            cost_nanousd=receipt.cost_nanousd,
        )
        return {
            "TableName": self._executions,
            "Key": _item(execution_id=execution_id),
            "UpdateExpression": "SET #state = :state, " + ", ".join(f"{name[1:]} = {name}" for name in facts),
            "ConditionExpression": "#state = :sent",
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": {**facts, **_values(state=closing.state, sent=State.SENT)},
        }

    def _count(self, opening: Opening, closing: Closing, bucket: str, expires_at: int | None) -> dict[str, Any]:
        succeeded = closing.state is State.DONE
        values = _values(
            one=1,
            success=int(succeeded),
            failure=int(not succeeded),
            cost=closing.receipt.cost_nanousd or 0,
            now=closing.finished_at,
            expiry=expires_at,
        )
        expiry = ", expires_at = :expiry" if expires_at else ""
        return {
            "TableName": self._stats,
            "Key": _item(resource_id=opening.resource_id, bucket=bucket),
            "UpdateExpression": "ADD calls :one, successes :success, failures :failure, cost_nanousd :cost "
            f"SET last_called_at = :now{expiry}",
            "ExpressionAttributeValues": values,
        }


def _shard(opening: Opening) -> int:
    return crc32(opening.execution_id.encode()) % SHARDS


def _day_bucket(opening: Opening, closing: Closing) -> str:
    return f"day#{moment(closing.finished_at).date()}#{_shard(opening)}"


def _bucket_expiry(closing: Closing) -> int:
    return int((moment(closing.finished_at) + timedelta(days=BUCKET_DAYS)).timestamp())


def _reasons(error: ClientError) -> list[str]:
    reasons: list[Mapping[str, str]] = error.response.get("CancellationReasons", [])
    return [reason.get("Code", "") for reason in reasons]


def _item(**attributes: str | int | None) -> dict[str, dict[str, str]]:
    """DynamoDB's form of text and whole numbers; None is left out."""
    return {
        name: {"N": str(value)} if isinstance(value, int) else {"S": str(value)}
        for name, value in attributes.items()
        if value is not None
    }


def _values(**attributes: str | int | None) -> dict[str, dict[str, str]]:
    return {f":{name}": value for name, value in _item(**attributes).items()}
