"""Transactions in DynamoDB: all writes or none, and why there were none."""

import random
import time
from typing import Any

from botocore.exceptions import ClientError

from instant.adapters.aws import client

CONDITION = "ConditionalCheckFailed"

_ATTEMPTS = 16
_LONGEST_PAUSE = 0.5
_PASSING = {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}


def transact(writes: list[dict[str, Any]]) -> None:
    """All of `writes` or none; what passes, such as a conflict with another transaction, is waited for."""
    for attempt in range(_ATTEMPTS):
        try:
            client("dynamodb").transact_write_items(TransactItems=writes)
            return
        except ClientError as error:
            reasons = reasons_of(error)
            if CONDITION in reasons or _PASSING.isdisjoint(reasons) or attempt == _ATTEMPTS - 1:
                raise
            time.sleep(random.uniform(0, min(0.02 * 2**attempt, _LONGEST_PAUSE)))


def is_contended(error: ClientError) -> bool:
    """Whether nothing was written because others were at it all the time."""
    return not _PASSING.isdisjoint(reasons_of(error))


def reasons_of(error: ClientError) -> list[str]:
    """What became of each write of a transaction that was cancelled; nothing for any other failure."""
    reasons: list[dict[str, str]] = error.response.get("CancellationReasons", [])
    return [reason.get("Code", "") for reason in reasons]
