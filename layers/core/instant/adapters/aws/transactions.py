"""Transactions in DynamoDB: named writes, all or none, and the names of those whose condition failed."""

import time
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from instant.adapters.aws.client import client
from instant.domain.backoff import Backoff

CONDITION = "ConditionalCheckFailed"

_BACKOFF = Backoff(attempts=16, initial=0.02, max=0.5)
_TRANSIENT = {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}


class TransactionRefused(Exception):
    """Nothing was written: the conditions of the writes named `refused` failed."""

    def __init__(self, refused: frozenset[str]) -> None:
        """Carry the names."""
        super().__init__(", ".join(sorted(refused)))
        self.refused = refused


class TransactionContended(Exception):
    """Nothing was written: every attempt conflicted with other writers."""


def transact(writes: Mapping[str, Mapping[str, Any]]) -> None:
    """Apply all of `writes` or none; conflicts with other transactions are retried with backoff."""
    delays = [*_BACKOFF.delays(), None]
    for delay in delays:
        try:
            client("dynamodb").transact_write_items(TransactItems=list(writes.values()))
            return
        except ClientError as error:
            reasons = _reasons(writes, error)
            if refused := frozenset(name for name, reason in reasons.items() if reason == CONDITION):
                raise TransactionRefused(refused) from error
            if _TRANSIENT.isdisjoint(reasons.values()):
                raise
            if delay is None:
                raise TransactionContended from error
        time.sleep(delay)


def is_refused(error: ClientError) -> bool:
    """Whether the condition of a single write did not hold."""
    return str(error.response["Error"]["Code"]) == f"{CONDITION}Exception"


def _reasons(writes: Mapping[str, Mapping[str, Any]], error: ClientError) -> dict[str, str]:
    """The cancellation reason of each write of a cancelled transaction; empty for any other error."""
    reasons: list[dict[str, str]] = error.response.get("CancellationReasons", [])
    return {name: reason.get("Code", "") for name, reason in zip(writes, reasons, strict=False)}
