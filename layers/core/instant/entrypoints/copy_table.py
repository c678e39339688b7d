"""Copy all rows of one table into another, after a recovery: `make copy-table FROM=… TO=…`."""

import argparse
import sys
from collections.abc import Sequence

from instant.adapters.aws.table_copy import CopyFailed, copy_rows


def main(arguments: Sequence[str] | None = None) -> int:
    """Copy the rows and print their number; returns 1 with the reason on stderr if that fails."""
    parser = argparse.ArgumentParser(prog="make copy-table", description=__doc__)
    parser.add_argument("source", help="the table that is read")
    parser.add_argument("target", help="the table that is written")
    chosen = parser.parse_args(arguments)
    try:
        copied = copy_rows(chosen.source, chosen.target)
    except CopyFailed as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    sys.stdout.write(f"{copied} rows copied from {chosen.source} to {chosen.target}.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
