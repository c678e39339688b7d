"""The canary: a user with unique secrets, whose requests and responses are recorded."""

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from secrets import token_hex
from typing import Any

from instant.adapters.access.api_keys import DynamoApiKeyStore
from instant.domain.access.api_key import mint
from instant.domain.access.identity import Scope
from tests.canary.aws_tap import AwsTap
from tests.canary.sinks import Sinks
from tests.fakes.aws_faults import Fault
from tests.fakes.issuer import FakeIssuer
from tests.integration.app import EMBEDDER, EMBEDDINGS, Answer, App
from tests.integration.browser import allow
from tests.integration.front import Front
from tests.integration.synced_app import MODEL

SERVICE = "/api/user/integrations/openrouter"
PLATFORM_KEY = "/api/admin/integrations/openrouter"
SHOWN_ONCE = {("POST", "/api/user/api-keys"): "api_key", ("POST", f"{SERVICE}/connect"): "code_verifier"}


@dataclass(frozen=True)
class Request:
    """One request."""

    method: str
    target: str
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.method} {self.target}"


@dataclass
class Canary:
    """Sends the requests of one user to an app, and records the responses and the upstream requests."""

    app: App
    sinks: Sinks
    tap: AwsTap
    front: Front
    token: str = field(repr=False)
    secrets: list[str] = field(repr=False)
    key: str = field(repr=False)
    key_uses: int = 0

    def send(self, request: Request, faults: dict[int, Fault] | None = None, place: str = "") -> Answer:
        """Send one request and return its response; `faults` are faults by the number of the AWS call."""
        self.tap.start(faults)
        answer = self.front.ask(request.method, request.target, request.body, token=self.token, headers=request.headers)
        self.sinks.answer(place or str(request), self._without_new_secrets(request, answer))
        for arrival in self.app.fake.requests:
            self.sinks.arrival(place or str(request), arrival)
            self.key_uses += arrival.headers.get("authorization") == f"Bearer {self.key}"
        self.app.fake.forget_requests()
        return answer

    def done(self, method: str, target: str, body: Any = None) -> Any:
        """Send a request that must succeed; return its JSON."""
        answer = self.send(Request(method, target, body))
        assert answer.status < 400, (method, target, answer.text)
        return answer.json if answer.text else None

    def connect(self) -> None:
        """Save the key again, so that the next use decrypts it."""
        self.done("POST", SERVICE, {"api_key": self.key})

    def resource(self, model: str = MODEL) -> str:
        """Create a resource; return its id."""
        body = {"resource_type": "openrouter_instant", "name": "Haiku", "config": {"model": model}}
        return str(self.done("POST", "/api/resources", body)["resource_id"])

    @cached_property
    def text_resource(self) -> str:
        """The id of a resource that returns text."""
        return self.resource()

    @cached_property
    def synced_model(self) -> str:
        """A model with stored endpoints: a resource uses it, and the catalog was synced after that."""
        assert self.text_resource
        self.app.sync()
        return MODEL

    @cached_property
    def image_resource(self) -> str:
        """The id of a resource that returns images."""
        return self.resource("juniper/fresco-2")

    @cached_property
    def embeddings_resource(self) -> str:
        """The id of a resource that returns embeddings."""
        body = {"resource_type": EMBEDDINGS, "name": "Embedder", "config": {"model": EMBEDDER}}
        return str(self.done("POST", "/api/resources", body)["resource_id"])

    @cached_property
    def image_execution(self) -> Any:
        """The response of an execution with an image."""
        self.connect()
        return self.done("POST", "/api/execute", run_of(self.image_resource))

    @cached_property
    def second_key(self) -> str:
        """The id of a second API key."""
        return str(self.done("POST", "/api/user/api-keys", {"name": "spare", "scopes": ["execute"]})["key_id"])

    def exchange_grant(self) -> dict[str, str]:
        """A code and a verifier; the fake OpenRouter exchanges them for the key, any number of times."""
        grant = self.authorization
        self.app.fake.script_exchange(200, json.dumps({"key": self.key}).encode())
        return grant

    @cached_property
    def authorization(self) -> dict[str, str]:
        """The code and the verifier of an authorization by the user."""
        started = self.front.ask("POST", f"{SERVICE}/connect", {}, token=self.token).json
        code, verifier = allow(started["authorize_url"])[1]["code"], started["code_verifier"]
        self.secrets += [code, verifier]
        return {"code": code, "code_verifier": verifier}

    def _without_new_secrets(self, request: Request, answer: Answer) -> Answer:
        """The response without a new API key or verifier, which it returns once; the secret is added to `secrets`."""
        name = SHOWN_ONCE.get((request.method, request.target))
        if name is None or answer.status >= 400:
            return answer
        rest = answer.json
        self.secrets.append(rest.pop(name))
        return replace(answer, text=json.dumps(rest))


def run_of(resource_id: str, prompt: str = "Say hello.") -> dict[str, Any]:
    """The body of an execution."""
    return {"resource_id": resource_id, "inputs": {"prompt": prompt}}


def start(app: App, sinks: Sinks, tap: AwsTap) -> Canary:
    """A canary with a new API key and a new OpenRouter key."""
    made, record = mint(user_id="user_canary", name="walk", scopes=frozenset(Scope), now=datetime.now(UTC))
    DynamoApiKeyStore(app.name("API_KEYS_TABLE")).put(record)
    token, key = made.reveal(), "sk-or-v1-" + token_hex(32)
    return Canary(app, sinks, tap, Front(app), token, [token, key], key)


def parameters(issuer: FakeIssuer) -> dict[str, str]:
    """The template's parameters: tokens of this issuer, and a place in flight for each lease whose release fails."""
    return {"JwtIssuer": issuer.url, "JwtAudience": issuer.audience, "JwtAdmins": "canary", "MostInFlight": "100"}


def with_access_token(canary: Canary, issuer: FakeIssuer) -> Canary:
    """The same canary with an access token, of which the signature is secret."""
    token = issuer.token("canary")
    canary.secrets.append(token.rpartition(".")[2])
    return replace(canary, token=token)
