"""Creates the API keys of the local stack: alice and bob can execute and manage, admin has all scopes.

It runs by path in a separate process, because the core's AWS clients read their endpoint from the environment.
"""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.local.stack import Stack

USERS = {"alice": ["execute", "manage"], "bob": ["execute", "manage"], "admin": ["execute", "manage", "admin"]}


_CORE = Path(__file__).resolve().parents[2] / "layers/core"


def seed(stack: "Stack") -> dict[str, str]:
    """Create and store a key for each user; return the keys by name."""
    program = subprocess.run(
        [sys.executable, "-P", __file__, stack.environment("AuthorizerFunction")["API_KEYS_TABLE"]],
        env={**stack.admin, "PYTHONPATH": str(_CORE)},
        stdout=subprocess.PIPE,
        start_new_session=True,  # only the parent handles Ctrl-C
        check=True,
    )
    keys: dict[str, str] = json.loads(program.stdout)
    return keys


def _mint_all(table: str) -> dict[str, str]:
    from instant.adapters.access.api_keys import DynamoApiKeyStore
    from instant.domain.access.api_key import mint
    from instant.domain.access.identity import Scope

    store, keys = DynamoApiKeyStore(table), {}
    for name, scopes in USERS.items():
        allowed = frozenset(map(Scope, scopes))
        secret, record = mint(user_id=f"user_{name}", name=name, scopes=allowed, now=datetime.now(UTC))
        store.put(record)
        keys[name] = secret.reveal()
    return keys


if __name__ == "__main__":
    print(json.dumps(_mint_all(sys.argv[1])))
