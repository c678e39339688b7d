"""Copy all rows of one table into another, after a recovery: `make copy-table FROM=… TO=…`; used by no function."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from botocore.exceptions import ClientError

from instant.adapters.aws.batch_writes import put_items
from instant.adapters.aws.client import client


def main(arguments: Sequence[str] | None = None) -> int:
    """Copy the rows and print their number; a row of the target with the same key is replaced."""
    parser = argparse.ArgumentParser(prog="make copy-table", description=__doc__)
    parser.add_argument("source", help="the table that is read")
    parser.add_argument("target", help="the table that is written")
    chosen = parser.parse_args(arguments)
    try:
        if _keys_of(chosen.source) != _keys_of(chosen.target):
            sys.stderr.write(f"{chosen.source} and {chosen.target} have different keys.\n")
            return 1
        copied = _Counted(_rows(chosen.source))
        put_items(chosen.target, copied)
    except ClientError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{copied.count} rows copied from {chosen.source} to {chosen.target}.\n")
    return 0


class _Counted:
    """Rows, and how many of them were read."""

    def __init__(self, rows: Iterator[dict[str, Any]]) -> None:
        self._rows = rows
        self.count = 0

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for row in self._rows:
            self.count += 1
            yield row


def _keys_of(table: str) -> Any:
    return client("dynamodb").describe_table(TableName=table)["Table"]["KeySchema"]


def _rows(table: str) -> Iterator[dict[str, Any]]:
    for page in client("dynamodb").get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
        yield from page["Items"]


if __name__ == "__main__":
    sys.exit(main())
