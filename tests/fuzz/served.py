"""The app over HTTP: the gateway and the authorizer of the local stack, with the functions in this process."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from instant.adapters.access.api_keys import DynamoApiKeyStore
from instant.domain.access.api_key import mint
from instant.domain.access.identity import Scope
from tests.integration.app import App, answer_of, deployed_app
from tests.local.api.gateway import Gateway
from tests.local.api.server import Server
from tests.local.functions.invocation import Outcome, Sink, failure

USERS = ("alice", "bob")
UNLIMITED = dict.fromkeys(("RatePerMinute", "ExecutePerMinute", "KeyChecksPerHour"), "10000") | {"MostInFlight": "1000"}
"""Rate limits that generated requests do not reach."""


@dataclass
class ServedApp:
    """The URL of the API and the API keys of its users; `responses` counts (method, route, status)."""

    app: App
    keys: dict[str, str] = field(default_factory=dict)
    responses: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    url: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def invoke(self, function: str, payload: bytes, sink: Sink | None = None) -> Outcome:
        """Invoke a function in the role of Lambda, one call at a time: the simulated AWS is not thread-safe.

        Without AWS's runtime client, functions return their streams as a whole.
        """
        with self._lock:
            try:
                reply = self._handle(function, json.loads(payload))
            except Exception as error:
                return failure(type(error).__name__, str(error))
            return Outcome(reply if isinstance(reply, bytes) else json.dumps(reply).encode())

    def _handle(self, function: str, event: dict[str, Any]) -> Any:
        reply = self.app.invoke(function, event)
        if "httpMethod" in event and "type" not in event:
            self.responses[event["httpMethod"], event["resource"], answer_of(reply).status] += 1
        return reply


@contextmanager
def serve_app() -> Iterator[ServedApp]:
    """Serve an app with a synced catalog; alice and bob have every scope and an OpenRouter key."""
    with deployed_app(**UNLIMITED) as app:
        app.sync()
        served = ServedApp(app, {user: _key_of(app, user) for user in USERS})
        server = Server(Gateway(app.plan, served.invoke).answer)
        served.url = f"http://127.0.0.1:{server.port}/{app.plan.stage}"
        try:
            yield served
        finally:
            server.stop()


def _key_of(app: App, user: str) -> str:
    secret, key = mint(user_id=f"user_{user}", name="fuzz", scopes=frozenset(Scope), now=datetime.now(UTC))
    DynamoApiKeyStore(app.name("API_KEYS_TABLE")).put(key)
    assert app.connect(user).status == 201
    return secret.reveal()
