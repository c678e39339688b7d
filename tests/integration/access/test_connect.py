"""Connecting an integration in the browser with OAuth PKCE; no state is stored between the two steps."""

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from instant.adapters.aws import client as aws
from instant.adapters.http.upstream import HttpUpstream
from instant.integrations import INTEGRATIONS
from tests.fakes.aws_faults import failure, faults
from tests.fakes.openrouter.faults import USER_ID
from tests.integration.access.test_integrations import PATH, row_of, spellings
from tests.integration.app import CALLBACKS, GOOD_KEY, Answer, App
from tests.integration.aws_calls import recorded
from tests.integration.browser import allow
from tests.integration.synced_app import created, deployed_synced_app, new_user
from tests.toys.megaphone import Megaphone

CONNECT = f"{PATH}/connect"
START_OVER = f"POST {CONNECT}"


@pytest.fixture(scope="module")
def shared() -> Iterator[App]:
    with deployed_synced_app() as app:
        yield app


@dataclass
class Client:
    """One user's client, with the state it keeps between the steps."""

    app: App
    user: str
    verifier: str = ""
    code: str = ""

    def begin(self, callback_url: str | None = CALLBACKS[0]) -> Any:
        """Send the first step and the user's consent; assert that the state is unchanged."""
        body = {} if callback_url is None else {"callback_url": callback_url}
        begun = self.app.call("POST", CONNECT, body, user=self.user)
        assert begun.status == 200, begun.text
        back, brought = allow(begun.json["authorize_url"])
        assert (back, brought.get("state")) == ((callback_url or "").partition("?")[0], begun.json["state"])
        self.verifier, self.code = begun.json["code_verifier"], brought["code"]
        return begun.json

    def complete(self, **more: Any) -> Answer:
        """Send the second step."""
        body = {"code": self.code, "code_verifier": self.verifier, **more}
        return self.app.call("POST", f"{CONNECT}/complete", body, user=self.user)


@pytest.fixture
def client(shared: App) -> Client:
    return Client(shared, new_user())


def refused(answer: Answer, status: int, code: str) -> dict[str, Any]:
    """Assert that the error says what to do and echoes no secret; return it."""
    assert (answer.status, answer.code) == (status, code), answer.text
    assert "canary" not in answer.text
    assert USER_ID not in answer.text
    return dict(answer.json["error"])


def test_connect_stores_a_key_the_client_never_sees(client: Client) -> None:
    app = client.app
    client.begin()
    app.fake.forget_requests()
    answer = client.complete(max_cost_per_call_usd="0.5")
    assert answer.status == 201
    exchange, check = app.fake.requests
    assert (exchange.method, exchange.path) == ("POST", "/api/v1/auth/keys")
    assert "authorization" not in exchange.headers
    assert exchange.json == {"code": client.code, "code_verifier": client.verifier, "code_challenge_method": "S256"}
    key = app.fake.made_keys[-1]
    assert (check.path, check.headers["authorization"]) == ("/api/v1/key", f"Bearer {key}")
    shown = answer.json
    assert (shown["hint"], shown["status"], shown["is_enabled"]) == (key[-4:], "ok", True)
    assert shown["max_cost_per_call_usd"] == "0.5"
    assert app.call("GET", PATH, user=client.user).json == shown
    app.fake.forget_requests()
    assert app.execute(created(app, client.user)["resource_id"], user=client.user).status == 200
    assert app.fake.chat_requests[0].headers["authorization"] == f"Bearer {key}"


def test_connect_creates_the_same_integration_as_a_pasted_key(client: Client) -> None:
    client.begin()
    client.app.fake.queue_key(GOOD_KEY)
    in_browser, by_hand = client.complete().json, client.app.connect(new_user()).json
    times = ("created_at", "last_verified_at")
    assert {**in_browser, **dict.fromkeys(times)} == {**by_hand, **dict.fromkeys(times)}


def test_connect_start_makes_no_request_and_stores_nothing(client: Client) -> None:
    app = client.app
    app.connect(client.user)
    before = app.table("INTEGRATIONS_TABLE")
    app.fake.forget_requests()
    with recorded("dynamodb") as rows, recorded("kms") as keys:
        assert app.call("POST", CONNECT, {"callback_url": CALLBACKS[1]}, user=client.user).status == 200
    assert (rows, keys, app.fake.requests) == ([], [], [])
    assert app.table("INTEGRATIONS_TABLE") == before


def test_connect_callback_keeps_the_clients_query(client: Client) -> None:
    begun = client.app.call("POST", CONNECT, {"callback_url": f"{CALLBACKS[1]}?to=%2Fa%26b&n=1"}, user=client.user)
    back, brought = allow(begun.json["authorize_url"])
    assert back == CALLBACKS[1]
    assert brought == {"to": "/a&b", "n": "1", "state": begun.json["state"], "code": brought["code"]}


@pytest.mark.parametrize("body", [{}, {"callback_url": None}])
def test_connect_without_a_callback_uses_manual_code_entry(client: Client, body: dict[str, None]) -> None:
    assert client.begin(None)["state"] is None
    assert client.complete().status == 201
    begun = client.app.call("POST", CONNECT, body, user=client.user).json
    assert parse_qs(urlsplit(begun["authorize_url"]).query).keys() == {"code_challenge", "code_challenge_method"}


@pytest.mark.parametrize(
    "url",
    [
        "https://good.example.evil.com/callback",
        "https://good.example@evil/callback",
        "//evil",
        "https://good.example/callback/../x",
        "https://good.example:444/callback",
        "javascript:alert(1)",
        "https://good.example/callback\n",
        "https://good.example/callback?state=mine",
        "http://localhost:3001/callback",
    ],
)
def test_connect_rejects_an_unlisted_callback_without_echoing_it(client: Client, url: str) -> None:
    answer = client.app.call("POST", CONNECT, {"callback_url": url}, user=client.user)
    error = refused(answer, 422, "invalid_field")
    assert error["details"] == {"field": "callback_url"}
    assert "Leave it out to have the code shown" in error["message"]
    assert json.dumps(url) not in answer.text


def test_concurrent_connects_give_each_user_their_own_key(shared: App) -> None:
    alice, bob = Client(shared, new_user()), Client(shared, new_user())
    alice.begin()
    bob.begin()
    theirs = bob.complete().json, alice.complete().json
    assert [each["hint"] for each in theirs] == [key[-4:] for key in shared.fake.made_keys[-2:]]
    assert theirs[0]["key_sha256"] != theirs[1]["key_sha256"]
    assert shared.call("GET", PATH, user=bob.user).json == theirs[0]


def test_connect_rejects_a_code_with_another_verifier(shared: App) -> None:
    alice, bob = Client(shared, new_user()), Client(shared, new_user())
    alice.begin()
    bob.begin()
    thief = Client(shared, bob.user, verifier=bob.verifier, code=alice.code)
    assert START_OVER in refused(thief.complete(), 409, "credential_rejected")["message"]
    assert row_of(shared, bob.user) == {}
    assert alice.complete().status == 201


def test_connect_accepts_a_code_once(client: Client) -> None:
    client.begin()
    assert client.complete().status == 201
    before = row_of(client.app, client.user)
    error = refused(client.complete(), 409, "credential_rejected")
    assert (START_OVER in error["message"], error["retryable"]) == (True, False)
    assert row_of(client.app, client.user) == before


def test_connect_accepts_a_code_for_ten_minutes(client: Client) -> None:
    client.begin()
    client.app.fake.age_codes(601)
    assert START_OVER in refused(client.complete(), 409, "credential_rejected")["message"]
    assert row_of(client.app, client.user) == {}


def test_connect_replaces_the_key_like_a_pasted_key(client: Client) -> None:
    app = client.app
    first = app.connect(client.user, max_cost_per_call_usd="0.75").json
    app.call("PATCH", PATH, {"is_enabled": False}, user=client.user)
    client.begin()
    second = client.complete().json
    assert (second["is_enabled"], second["max_cost_per_call_usd"]) == (True, "0.75")
    assert second["created_at"] == first["created_at"]
    assert second["key_sha256"] != first["key_sha256"]


WRONG_SHAPES = [
    *(("code", wrong) for wrong in ("", "a b", "canary\n", "canary\N{EM DASH}", "c" * 513, 7, None, ["canary"])),
    *(("code_verifier", wrong) for wrong in ("", "v" * 42, "v" * 129, f"canary {'v' * 43}", f"{'v' * 43}\n", "+" * 43)),
    *(("code_verifier", wrong) for wrong in ("\N{FULLWIDTH LATIN SMALL LETTER V}" * 43, "v" * 5_000, None, 7)),
]


@pytest.mark.parametrize(("field", "value"), WRONG_SHAPES, ids=range(len(WRONG_SHAPES)))
def test_connect_rejects_malformed_codes_and_verifiers_without_a_request(
    client: Client, field: str, value: Any, caplog: pytest.LogCaptureFixture
) -> None:
    client.verifier, client.code = "v" * 43, "auth_code_1"
    client.app.fake.forget_requests()
    with caplog.at_level(logging.DEBUG):
        error = refused(client.complete(**{field: value}), 422, "invalid_field")
    assert error["details"]["field"] == field
    assert "canary" not in caplog.text
    assert client.app.fake.requests == []


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405])
def test_connect_rejected_code_says_to_start_again(client: Client, status: int) -> None:
    client.begin()
    client.app.fake.script_exchange(status, b'{"error": {"code": 403, "message": "canary"}, "user_id": "canary"}')
    error = refused(client.complete(), 409, "credential_rejected")
    assert (START_OVER in error["message"], error["retryable"]) == (True, False)
    assert row_of(client.app, client.user) == {}


UNREADABLE = [
    *((status, b'{"key": "canary"}') for status in (302, 408, 500, 502, 503, 524)),
    *((200, body) for body in (b"", b"<html>canary", b"{}", b'{"key": null}', b'{"key": "canary"}', b'{"key": 7}')),
]


@pytest.mark.parametrize(("status", "body"), UNREADABLE, ids=range(len(UNREADABLE)))
def test_connect_lost_response_says_the_code_may_be_used(client: Client, status: int, body: bytes) -> None:
    client.begin()
    client.app.fake.script_exchange(status, body)
    error = refused(client.complete(), 504, "outcome_unknown")
    assert (START_OVER in error["message"], error["retryable"]) == (True, False)
    assert "Revoke" in error["message"]
    assert not {"paid", "charged"} & set(error["message"].split())
    assert row_of(client.app, client.user) == {}


def test_connect_malformed_response_is_treated_as_lost(client: Client) -> None:
    client.begin()
    client.app.fake.script_exchange(200, f'{{"key": "{GOOD_KEY}"'.encode(), cut=True)
    assert START_OVER in refused(client.complete(), 504, "outcome_unknown")["message"]
    assert row_of(client.app, client.user) == {}


def test_connect_rate_limit_does_not_use_the_code(client: Client) -> None:
    client.begin()
    client.app.fake.script_exchange(429)
    assert refused(client.complete(), 429, "rate_limited")["retryable"] is True
    assert client.complete().status == 201


def test_connect_unreachable_service_does_not_use_the_code(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    client.begin()
    module = client.app.module("IntegrationsFunction")
    with monkeypatch.context() as elsewhere:
        unreachable = HttpUpstream(lambda name: "http://127.0.0.1:1")
        elsewhere.setattr(module, "deps", replace(module.deps, upstream=unreachable))
        assert refused(client.complete(), 503, "upstream_unavailable")["retryable"] is True
        unreachable.close()
    assert client.complete().status == 201


@pytest.mark.parametrize(
    ("key", "status", "code"),
    [
        ("sk-or-v1-revoked-0123456789", 409, "credential_rejected"),
        ("sk-or-v1-untold-0123456789", 502, "upstream_error"),
    ],
)
def test_connect_key_that_fails_its_check_is_reported_lost(client: Client, key: str, status: int, code: str) -> None:
    client.app.connect(client.user)
    before = row_of(client.app, client.user)
    client.begin()
    client.app.fake.queue_key(key)
    answer = client.complete()
    error = refused(answer, status, code)
    assert error["retryable"] is False, "the code is used up"
    assert "Revoke it at openrouter, then start over" in error["message"]
    assert START_OVER in error["message"]
    assert key not in answer.text
    assert row_of(client.app, client.user) == before


def test_connect_key_that_cannot_be_encrypted_is_reported_lost(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    client.begin()
    with faults("Encrypt", failure("DisabledException")):
        error = refused(client.complete(), 500, "internal")
    assert "Revoke it at openrouter, then start over" in error["message"]
    assert "DisabledException" in caplog.text, "the cause is logged for the operator"
    assert client.app.fake.made_keys[-1] not in caplog.text
    assert row_of(client.app, client.user) == {}


def test_connect_does_not_log_store_or_return_secrets(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    app = client.app
    with caplog.at_level(logging.DEBUG):
        client.begin()
        verifier, code = client.verifier, client.code
        answers = [client.complete(code="other"), client.complete(), client.complete()]
    assert [answer.status for answer in answers] == [409, 201, 409]
    row = row_of(app, client.user)
    values = [value for typed in row.values() for value in typed.values()]
    stored = b"\n".join(value if isinstance(value, bytes) else str(value).encode() for value in values)
    returned = "".join(answer.text for answer in answers).encode()
    for secret in (verifier, code, app.fake.made_keys[-1], USER_ID):
        for place in (caplog.text.encode(), repr(row).encode(), stored, returned):
            assert [spelling for spelling in spellings(secret) if spelling in place] == []


def test_connect_encrypts_the_key_for_its_user(client: Client) -> None:
    client.begin()
    client.complete()
    context = {"app": "instant", "stage": "test", "user_id": f"user_{client.user}", "service": "openrouter"}
    sealed = row_of(client.app, client.user)["ciphertext"]["B"]
    opened = aws.client("kms").decrypt(CiphertextBlob=sealed, EncryptionContext=context)
    assert opened["Plaintext"].decode() == client.app.fake.made_keys[-1]


@pytest.mark.parametrize("scopes", ["execute", "admin", "execute admin", ""])
def test_connect_requires_the_manage_scope(client: Client, scopes: str) -> None:
    app, proof = client.app, {"code": "auth_code_1", "code_verifier": "v" * 43}
    app.fake.forget_requests()
    for path, body in ((CONNECT, {}), (f"{CONNECT}/complete", proof)):
        refused(app.call("POST", path, body, user=client.user, scopes=scopes), 403, "forbidden")
    assert app.fake.requests == []


def test_connect_to_an_unknown_service_returns_not_found(client: Client) -> None:
    for service in ("nosuch", "OpenRouter", ".."):
        for path, body in (("connect", {}), ("connect/complete", {"code": "c", "code_verifier": "v" * 43})):
            answer = client.app.call("POST", f"/api/user/integrations/{service}/{path}", body, user=client.user)
            refused(answer, 404, "not_found")


def test_connect_to_a_key_only_service_is_rejected(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(INTEGRATIONS, "megaphone", Megaphone("http://127.0.0.1:1"))
    path = "/api/user/integrations/megaphone"
    proof = {"code": "c", "code_verifier": "v" * 43}
    for route, body in ((f"{path}/connect", {}), (f"{path}/connect/complete", proof)):
        error = refused(client.app.call("POST", route, body, user=client.user), 404, "not_found")
        assert f"Save a key: POST {path}" in error["message"]
