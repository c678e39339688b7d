"""The canary itself: a user with unique secrets, and what they need on their way."""

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from secrets import token_hex
from typing import Any

from instant.adapters.api_key_store import DynamoApiKeyStore
from instant.domain.api_key import mint
from instant.domain.identity import Scope
from tests.canary.sinks import Sinks
from tests.canary.wire import Wire
from tests.fakes.aws_faults import Fault
from tests.integration.front import Front
from tests.integration.guests import MODEL
from tests.integration.house import Answer, House

SERVICE = "/api/user/integrations/openrouter"


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
    """Walks through a house, and notes all that it is answered."""

    house: House
    sinks: Sinks
    wire: Wire
    front: Front
    token: str = field(repr=False)
    secrets: list[str] = field(repr=False)
    key: str = field(repr=False)

    def ask(self, ask: Ask, faults: dict[int, Fault] | None = None, place: str = "") -> Answer:
        """The answer to one request of the user."""
        self.wire.begin(faults)
        answer = self.front.ask(ask.method, ask.target, ask.body, token=self.token, headers=ask.headers)
        self.sinks.answer(place or str(ask), self._without_new_key(answer))
        for arrival in self.house.fake.requests:
            self.sinks.arrival(place or str(ask), arrival)
        self.house.fake.forget_requests()
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

    def _without_new_key(self, answer: Answer) -> Answer:
        """A key of ours is shown once, in the answer that makes it: the one place where a secret may stand."""
        if answer.status != 201 or '"api_key"' not in answer.text:
            return answer
        shown = answer.json
        self.secrets.append(shown.pop("api_key"))
        return replace(answer, text=json.dumps(shown))


def run_of(resource_id: str, prompt: str = "Say hello.") -> dict[str, Any]:
    """The body of a run."""
    return {"resource_id": resource_id, "inputs": {"prompt": prompt}}


def begin(house: House, sinks: Sinks, wire: Wire) -> Walk:
    """A walk with a token and a key of OpenRouter's that nobody has seen."""
    made, record = mint(user_id="user_canary", name="walk", scopes=frozenset(Scope), now=datetime.now(UTC))
    DynamoApiKeyStore(house.name("API_KEYS_TABLE")).put(record)
    token, key = made.reveal(), "sk-or-v1-" + token_hex(32)
    return Walk(house, sinks, wire, Front(house), token, [token, key], key)
