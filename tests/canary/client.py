"""The canary itself: a user with unique secrets, and what they need on their way."""

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
from tests.integration.app import Answer, App
from tests.integration.browser import allow
from tests.integration.front import Front
from tests.integration.synced_app import MODEL

SERVICE = "/api/user/integrations/openrouter"
PLATFORM_S = "/api/admin/integrations/openrouter"
SHOWN_ONCE = {("POST", "/api/user/api-keys"): "api_key", ("POST", f"{SERVICE}/connect"): "code_verifier"}


@dataclass(frozen=True)
class Ask:
    """One request."""

    method: str
    target: str
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.method} {self.target}"


@dataclass
class Walk:
    """Walks through an app, and notes all that it is answered."""

    app: App
    sinks: Sinks
    tap: AwsTap
    front: Front
    token: str = field(repr=False)
    secrets: list[str] = field(repr=False)
    key: str = field(repr=False)
    uses: int = 0

    def ask(self, ask: Ask, faults: dict[int, Fault] | None = None, place: str = "") -> Answer:
        """The answer to one request of the user."""
        self.tap.begin(faults)
        answer = self.front.ask(ask.method, ask.target, ask.body, token=self.token, headers=ask.headers)
        self.sinks.answer(place or str(ask), self._without_what_is_shown_once(ask, answer))
        for arrival in self.app.fake.requests:
            self.sinks.arrival(place or str(ask), arrival)
            self.uses += arrival.headers.get("authorization") == f"Bearer {self.key}"
        self.app.fake.forget_requests()
        return answer

    def done(self, method: str, target: str, body: Any = None) -> Any:
        """The JSON of a request that must succeed."""
        answer = self.ask(Ask(method, target, body))
        assert answer.status < 400, (method, target, answer.text)
        return answer.json if answer.text else None

    def connect(self) -> None:
        """The key is sealed anew, so that it is opened when it is needed next."""
        self.done("POST", SERVICE, {"api_key": self.key})

    def resource(self, model: str = MODEL) -> str:
        """A new resource's id."""
        body = {"resource_type": "openrouter_instant", "name": "Haiku", "config": {"model": model}}
        return str(self.done("POST", "/api/resources", body)["resource_id"])

    @cached_property
    def writer(self) -> str:
        """The id of a resource that writes."""
        return self.resource()

    @cached_property
    def watched(self) -> str:
        """A model whose endpoints are known: a resource uses it, and a sync came after that."""
        assert self.writer
        self.app.sync()
        return MODEL

    @cached_property
    def painter(self) -> str:
        """The id of a resource that paints."""
        return self.resource("juniper/fresco-2")

    @cached_property
    def painting(self) -> Any:
        """What a run of it was answered."""
        self.connect()
        return self.done("POST", "/api/execute", run_of(self.painter))

    @cached_property
    def spare(self) -> str:
        """The id of a second API key."""
        return str(self.done("POST", "/api/user/api-keys", {"name": "spare", "scopes": ["execute"]})["key_id"])

    def grant(self) -> dict[str, str]:
        """A code and a verifier, for which the key will be given out, as often as they are sent."""
        given = self.allowed
        self.app.fake.script_exchange(200, json.dumps({"key": self.key}).encode())
        return given

    @cached_property
    def allowed(self) -> dict[str, str]:
        """The code and the verifier of a connection that the user has allowed."""
        begun = self.front.ask("POST", f"{SERVICE}/connect", {}, token=self.token).json
        code, verifier = allow(begun["authorize_url"])[1]["code"], begun["code_verifier"]
        self.secrets += [code, verifier]
        return {"code": code, "code_verifier": verifier}

    def _without_what_is_shown_once(self, ask: Ask, answer: Answer) -> Answer:
        """A new key of ours, and a new verifier, stand in the answer that makes them: nowhere else, and never again."""
        name = SHOWN_ONCE.get((ask.method, ask.target))
        if name is None or answer.status >= 400:
            return answer
        shown = answer.json
        self.secrets.append(shown.pop(name))
        return replace(answer, text=json.dumps(shown))


def run_of(resource_id: str, prompt: str = "Say hello.") -> dict[str, Any]:
    """The body of a run."""
    return {"resource_id": resource_id, "inputs": {"prompt": prompt}}


def begin(app: App, sinks: Sinks, tap: AwsTap) -> Walk:
    """A walk with an API key and a key of OpenRouter's that nobody has seen."""
    made, record = mint(user_id="user_canary", name="walk", scopes=frozenset(Scope), now=datetime.now(UTC))
    DynamoApiKeyStore(app.name("API_KEYS_TABLE")).put(record)
    token, key = made.reveal(), "sk-or-v1-" + token_hex(32)
    return Walk(app, sinks, tap, Front(app), token, [token, key], key)


def trusting(issuer: FakeIssuer) -> dict[str, str]:
    """The template's parameters for an app that takes this issuer's tokens."""
    return {"JwtIssuer": issuer.url, "JwtAudience": issuer.audience, "JwtAdmins": "canary"}


def signed_in(walk: Walk, issuer: FakeIssuer) -> Walk:
    """The same app, walked with an access token; what is secret of one is its signature."""
    token = issuer.token("canary")
    walk.secrets.append(token.rpartition(".")[2])
    return replace(walk, token=token)
