"""Copy all rows of one table into another; used on an operator's machine, by no function."""

from collections.abc import Iterator
from itertools import batched
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from instant.adapters.aws.batch_writes import MAX_ITEMS, put_items
from instant.adapters.aws.client import client


class CopyFailed(Exception):
    """The tables cannot be read or written, or do not fit; the message says why."""


def copy_rows(source: str, target: str) -> int:
    """The number of rows copied; a row of the target with the same key is replaced."""
    copied = 0
    try:
        if _keys_of(source) != _keys_of(target):
            raise CopyFailed(f"{source} and {target} have different keys.")
        for rows in batched(_rows(source), MAX_ITEMS, strict=False):
            put_items(target, rows)
            copied += len(rows)
    except (BotoCoreError, ClientError) as error:
        raise CopyFailed(f"After {copied} rows: {error}") from None
    return copied


def _keys_of(table: str) -> Any:
    return client("dynamodb").describe_table(TableName=table)["Table"]["KeySchema"]


def _rows(table: str) -> Iterator[dict[str, Any]]:
    for page in client("dynamodb").get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
        yield from page["Items"]
