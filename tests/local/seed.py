"""The local stack's first API keys: alice and bob may execute and manage, admin may do everything.

Run by path in a process of its own: the core's AWS clients take their endpoint from the environment.
"""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

USERS = {"alice": ["execute", "manage"], "bob": ["execute", "manage"], "admin": ["execute", "manage", "admin"]}


def seed(table: str, environment: dict[str, str], core: Path) -> dict[str, str]:
    """Every user's key, fresh and stored; `environment` leads to AWS, `core` holds the package `instant`."""
    program = subprocess.run(
        [sys.executable, "-P", __file__, table],
        env={**environment, "PYTHONPATH": str(core)},
        stdout=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is for its parent
        check=True,
    )
    keys: dict[str, str] = json.loads(program.stdout)
    return keys


def _mint_all(table: str) -> dict[str, str]:
    from instant.adapters.api_key_store import DynamoApiKeyStore
    from instant.domain.api_key import mint
    from instant.domain.identity import Scope

    store, keys = DynamoApiKeyStore(table), {}
    for name, scopes in USERS.items():
        allowed = frozenset(map(Scope, scopes))
        secret, record = mint(user_id=f"user_{name}", name=name, scopes=allowed, now=datetime.now(UTC))
        store.put(record)
        keys[name] = secret.reveal()
    return keys


if __name__ == "__main__":
    print(json.dumps(_mint_all(sys.argv[1])))
