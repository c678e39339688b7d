"""Create and print an API key of a deployed stack: `make admin-key STACK=… [USER=…] [SCOPES=…]`."""

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
    """Print only the key to stdout; returns 1 with the reason on stderr if that fails.

    It has every scope unless others are given: keys of ordinary users where no issuer makes tokens for them.
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
    name = "admin key" if Scope.ADMIN in chosen.scopes else "user key"
    secret, key = mint(user_id=user_id, name=name, scopes=chosen.scopes, now=now)
    store.put(key)
    sys.stderr.write(f"An API key of {user_id} with the scopes {', '.join(sorted(key.scopes))}, shown this once:\n")
    sys.stdout.write(f"{secret.reveal()}\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make admin-key", description=__doc__)
    parser.add_argument("stack", help="the stack's name")
    parser.add_argument("--user", type=_name, help="whose key it is; the same name is the same user")
    parser.add_argument(
        "--scopes", type=_scopes, default=frozenset(Scope), help="separated by commas, such as execute,read,manage"
    )
    return parser


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise argparse.ArgumentTypeError("a name is 1 to 40 of a-z, 0-9 and -, the first a letter")
    return text


def _scopes(text: str) -> frozenset[Scope]:
    unknown = sorted({name for name in _listed(text) if name not in Scope})
    if unknown or not _listed(text):
        raise argparse.ArgumentTypeError(f"scopes are {', '.join(Scope)}, separated by commas")
    return frozenset(map(Scope, _listed(text)))


def _listed(text: str) -> list[str]:
    return text.replace(",", " ").split()


if __name__ == "__main__":
    sys.exit(main())
