"""Access tokens beside API keys: the authorizer of an app whose template names an issuer."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from instant.adapters.access.api_keys import DynamoApiKeyStore
from instant.domain.access.api_key import mint
from instant.domain.access.identity import Scope
from instant.domain.clock import format_time
from instant.settings import AuthorizerSettings
from tests.fakes.issuer import BAD_TOKENS, FakeIssuer
from tests.integration.app import ROOT, App, deployed_app
from tests.integration.aws_calls import recorded


@pytest.fixture(scope="module")
def issuer() -> Iterator[FakeIssuer]:
    with FakeIssuer() as running:
        yield running


@pytest.fixture(scope="module")
def shared(issuer: FakeIssuer) -> Iterator[App]:
    with deployed_app(JwtIssuer=issuer.url, JwtAudience=issuer.audience, JwtAdmins="root, auth0|7") as app:
        yield app


def authorize(app: App, token: str) -> dict[str, Any]:
    event = json.loads((ROOT / "events" / "authorizer" / "request.json").read_text())
    return dict(app.invoke("AuthorizerFunction", {**event, "headers": {"authorization": f"Bearer {token}"}}))


def refused(app: App, token: str) -> bool:
    with pytest.raises(Exception, match=r"^Unauthorized$") as caught:
        authorize(app, token)
    return caught.value.__cause__ is None


def test_token_authenticates_its_user_with_execute_and_manage(shared: App, issuer: FakeIssuer) -> None:
    with recorded("dynamodb") as calls:
        answer = authorize(shared, issuer.token("carol"))
    user_id = answer["principalId"]
    assert user_id.startswith("oidc_")
    assert answer["context"].pop("expires_at") > format_time(datetime.now(UTC))
    assert answer["context"] == {
        "user_id": user_id,
        "scopes": "execute manage read",
        "key_id": "",
        "namespace": user_id,
    }
    assert authorize(shared, issuer.token("carol", jti="another"))["principalId"] == user_id
    assert authorize(shared, issuer.token("mallory"))["principalId"] != user_id
    assert "carol" not in json.dumps(answer)
    assert calls == []


def test_token_expiry_is_passed_to_the_routes(shared: App, issuer: FakeIssuer) -> None:
    for exp, ends in ((4_102_444_800, "2100-01-01T00:00:30.000000Z"), (10**18, None)):
        assert authorize(shared, issuer.token("carol", exp=exp))["context"].get("expires_at") == ends


def test_token_scopes_are_ignored(shared: App, issuer: FakeIssuer) -> None:
    boasts: dict[str, Any] = {"scope": "admin", "scopes": ["admin"], "role": "admin", "cognito:groups": ["admin"]}
    assert authorize(shared, issuer.token("carol", **boasts))["context"]["scopes"] == "execute manage read"


@pytest.mark.parametrize("sub", ["root", "auth0|7"])
def test_token_has_the_admin_scope_for_configured_admins(shared: App, issuer: FakeIssuer, sub: str) -> None:
    assert authorize(shared, issuer.token(sub))["context"]["scopes"] == "admin execute manage read"


@pytest.mark.parametrize("sub", ["Root", "root ", "auth0", "root, auth0|7", ","])
def test_token_of_other_users_has_no_admin_scope(shared: App, issuer: FakeIssuer, sub: str) -> None:
    assert authorize(shared, issuer.token(sub))["context"]["scopes"] == "execute manage read"


@pytest.mark.parametrize("wrong", BAD_TOKENS)
def test_bad_token_returns_unauthorized(shared: App, issuer: FakeIssuer, wrong: str) -> None:
    assert refused(shared, BAD_TOKENS[wrong](issuer))


def test_key_made_with_a_token_authenticates_the_same_user(shared: App, issuer: FakeIssuer) -> None:
    user_id = authorize(shared, issuer.token("dave"))["principalId"]
    caller = DynamoApiKeyStore(shared.name("API_KEYS_TABLE"))
    secret, key = mint(user_id=user_id, name="ci", scopes=frozenset({Scope.EXECUTE}), now=datetime.now(UTC))
    caller.put(key)
    expected = {"user_id": user_id, "scopes": "execute", "key_id": key.key_id, "namespace": key.key_id}
    assert authorize(shared, secret.reveal())["context"] == expected


def test_api_key_is_not_sent_to_the_issuer(shared: App, issuer: FakeIssuer) -> None:
    asked = issuer.asked
    secret, _ = mint(user_id="user_x", name="x", scopes=frozenset({Scope.ADMIN}), now=datetime.now(UTC))
    assert refused(shared, secret.reveal())
    assert refused(shared, secret.reveal()[:-1])
    assert issuer.asked == asked


GOOD = {"API_KEYS_TABLE": "t", "JWT_ISSUER": "https://issuer.example/", "JWT_AUDIENCE": "api"}


@pytest.mark.parametrize(
    "change",
    [
        {"JWT_AUDIENCE": ""},
        {"JWT_ISSUER": ""},
        {"JWT_ISSUER": "", "JWT_AUDIENCE": "", "JWT_ADMINS": "root"},
        {"JWT_ISSUER": "", "JWT_AUDIENCE": "", "JWT_JWKS_URL": "https://issuer.example/keys"},
        {"JWT_ISSUER": "http://issuer.example"},
        {"JWT_JWKS_URL": "http://issuer.example/keys"},
    ],
)
def test_partial_issuer_configuration_is_rejected(change: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="Jwt"):
        AuthorizerSettings.load({**GOOD, **change})
    assert AuthorizerSettings.load(GOOD).admins == frozenset()
