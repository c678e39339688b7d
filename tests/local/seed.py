"""The local stack's first API keys: alice and bob may execute and manage, admin may do everything.

Run by path in a process of its own: the core's AWS clients take their endpoint from the environment.
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
    """Every user's key by name, fresh and stored."""
    program = subprocess.run(
        [sys.executable, "-P", __file__, stack.environment("AuthorizerFunction")["API_KEYS_TABLE"]],
        env={**stack.admin, "PYTHONPATH": str(_CORE)},
        stdout=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is for its parent
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
