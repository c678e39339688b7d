"""Arguments of the commands on one user of a deployed stack."""

import argparse
import sys

from instant.adapters.access.user_rows import KEYS, UserRowsStore
from instant.adapters.aws.deployed_stack import StackUnusable, names_of


def parser(command: str, description: str | None) -> argparse.ArgumentParser:
    """A parser with the stack and the user."""
    made = argparse.ArgumentParser(prog=f"make {command}", description=description)
    made.add_argument("stack", help="the stack's name")
    made.add_argument("--user", required=True, help="the user's id, as the tables have it: user_… or operator_…")
    return made


def opened(stack: str) -> tuple[UserRowsStore, dict[str, str]] | None:
    """The stored rows, and the names of tables; None, with the reason on stderr, if the stack cannot be used."""
    try:
        names = names_of(stack)
    except StackUnusable as problem:
        sys.stderr.write(f"{problem}\n")
        return None
    if missing := sorted({*KEYS, "MediaBucket"} - names.keys()):
        sys.stderr.write(f"The stack {stack} has no {', '.join(missing)}. Deploy this template to it: make deploy.\n")
        return None
    return UserRowsStore(names), names
