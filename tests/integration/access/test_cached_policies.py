"""The gateway caches each authorizer policy for 60 seconds: it is valid for every route, and no longer."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from instant.adapters.access.api_keys import DynamoApiKeyStore
from instant.domain.access.api_key import mint
from instant.domain.access.identity import Scope
from tests.fakes.clock import FakeClock
from tests.fakes.issuer import FakeIssuer
from tests.integration.app import App, deployed_app
from tests.local.api.gateway import Gateway
from tests.local.api.server import Request
from tests.local.functions.invocation import Outcome, failure

ROUTES = ("/api/resources", "/api/executions", "/api/user/api-keys")


@dataclass
class Front:
    """A gateway in front of an app that counts the authorizer calls."""

    app: App
    clock: FakeClock = field(default_factory=FakeClock)
    asked: int = 0

    def __post_init__(self) -> None:
        self.gateway = Gateway(self.app.plan, self.invoke, clock=self.clock.monotonic)

    def invoke(self, function: str, event: bytes) -> Outcome:
        self.asked += function == "AuthorizerFunction"
        try:
            return Outcome(json.dumps(self.app.invoke(function, json.loads(event))).encode())
        except Exception as error:
            return failure(type(error).__name__, str(error))

    def call(self, token: str, path: str = ROUTES[0], method: str = "GET", body: Any = None) -> tuple[int, Any]:
        """Return the status and the JSON of a request."""
        headers = [("Authorization", f"Bearer {token}"), ("Content-Type", "application/json")]
        text = json.dumps(body).encode() if body else b""
        answer = self.gateway.answer(Request(method, f"/test{path}", headers, text))
        return answer.status, json.loads(answer.body or b"null")


@pytest.fixture(scope="module")
def issuer() -> Iterator[FakeIssuer]:
    with FakeIssuer() as running:
        yield running


@pytest.fixture(scope="module")
def shared(issuer: FakeIssuer) -> Iterator[App]:
    with deployed_app(JwtIssuer=issuer.url, JwtAudience=issuer.audience) as app:
        yield app


@pytest.fixture
def front(shared: App) -> Front:
    return Front(shared)


def key_of(app: App, user: str) -> str:
    secret, key = mint(user_id=user, name="k", scopes=frozenset({Scope.EXECUTE, Scope.MANAGE}), now=datetime.now(UTC))
    DynamoApiKeyStore(app.name("API_KEYS_TABLE")).put(key)
    return secret.reveal()


def test_cached_policy_allows_a_key_on_every_route(front: Front) -> None:
    key = key_of(front.app, "user_ann")
    assert [front.call(key, route)[0] for route in ROUTES] == [200, 200, 200]
    assert front.asked == 1


def test_cached_policy_allows_a_token_on_every_route(front: Front, issuer: FakeIssuer) -> None:
    token = issuer.token("ben")
    assert [front.call(token, route)[0] for route in ROUTES] == [200, 200, 200]
    assert front.asked == 1
    status, answer = front.call(token, "/api/admin/sync-models", "POST")
    assert (status, answer["error"]["code"]) == (403, "forbidden")


def test_key_made_with_a_token_has_the_same_user(front: Front, issuer: FakeIssuer) -> None:
    token, path = issuer.token("cleo"), "/api/user/api-keys"
    status, made = front.call(token, path, "POST", {"name": "ci", "scopes": ["execute", "manage"]})
    assert status == 201
    _, listed = front.call(made["api_key"], path)
    assert [key["key_id"] for key in listed["data"]] == [made["key_id"]]
    status, answer = front.call(token, path, "POST", {"name": "ci", "scopes": ["admin"]})
    assert (status, answer["error"]["code"]) == (403, "forbidden")


def test_revoked_key_is_rejected_within_a_minute(front: Front) -> None:
    key, path = key_of(front.app, "user_dan"), "/api/user/api-keys"
    _, listed = front.call(key, path)
    assert front.call(key, f"{path}/{listed['data'][0]['key_id']}", "DELETE")[0] == 204
    front.clock.pass_seconds(60)
    for route in ROUTES:
        status, answer = front.call(key, route)
        assert (status, answer["error"]["code"]) == (401, "unauthenticated")


def test_rejection_names_both_schemes_and_is_not_cached(front: Front, issuer: FakeIssuer) -> None:
    token = issuer.token("eve", aud="another")
    for asked in (1, 2):
        status, answer = front.call(token)
        assert (status, answer["error"]["retryable"], front.asked) == (401, False, asked)
        assert "API key" in answer["error"]["message"]
        assert "access token" in answer["error"]["message"]


@pytest.fixture
def outage(shared: App, issuer: FakeIssuer) -> Iterator[None]:
    """Restart the authorizer while its issuer is down."""
    shared.modules.pop("AuthorizerFunction", None)
    issuer.fault = "down"
    yield
    shared.modules.pop("AuthorizerFunction", None)
    issuer.fault = None


@pytest.mark.usefixtures("outage")
def test_authorizer_failure_is_retryable(front: Front, issuer: FakeIssuer) -> None:
    status, answer = front.call(issuer.token("gil"))
    assert (status, answer["error"]["code"]) == (503, "upstream_unavailable")
    assert answer["error"]["retryable"] is True
    assert front.call(key_of(front.app, "user_fay"))[0] == 200
