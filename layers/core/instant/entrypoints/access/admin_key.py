"""Create and print an operator's first admin key of a deployed stack: `make admin-key STACK=… [USER=…]`."""

import argparse
import re
import sys
from collections.abc import Sequence

from instant.adapters.access.api_keys import DynamoApiKeyStore
from instant.adapters.aws.deployed_stack import StackUnusable, output_of
from instant.adapters.clock import SystemClock
from instant.domain.access.api_key import mint
from instant.domain.access.identity import Scope
from instant.domain.ids import new_id

_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print only a key with every scope to stdout; returns 1 with the reason on stderr if that fails.

    Its user is `operator_<name>`, or a new id without a name: no token subject and no other API key has such an id.
    """
    chosen = _parser().parse_args(arguments)
    now = SystemClock().now()
    user_id = f"operator_{chosen.user}" if chosen.user else new_id("operator", now)
    try:
        store = DynamoApiKeyStore(output_of(chosen.stack, "ApiKeysTable"))
    except StackUnusable as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    secret, key = mint(user_id=user_id, name="admin key", scopes=frozenset(Scope), now=now)
    store.put(key)
    sys.stderr.write(f"An admin key of {user_id}, shown this once:\n")
    sys.stdout.write(f"{secret.reveal()}\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make admin-key", description=__doc__)
    parser.add_argument("stack", help="the stack's name")
    parser.add_argument("--user", type=_name, help="whose key it is; the same name is the same user")
    return parser


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise argparse.ArgumentTypeError("a name is 1 to 40 of a-z, 0-9 and -, the first a letter")
    return text


if __name__ == "__main__":
    sys.exit(main())
