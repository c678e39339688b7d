"""The fake PKCE flow: a code can be exchanged once, within ten minutes, with its verifier."""

from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any

import httpx
import pytest

from tests.fakes.openrouter import FakeOpenRouter
from tests.integration.browser import allow

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
CALLBACK = "https://app.example/callback?a=%26&state=S"
S256 = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}


@pytest.fixture
def page(openrouter: FakeOpenRouter, client: httpx.Client) -> Any:
    def opened(**query: str) -> httpx.Response:
        return client.get(openrouter.auth_url, params=query)

    return opened


def code_of(openrouter: FakeOpenRouter, **query: str) -> str:
    url = httpx.URL(openrouter.auth_url, params={"callback_url": CALLBACK, **(query or S256)})
    return allow(str(url))[1]["code"]


def exchange(client: httpx.Client, code: str, **more: Any) -> httpx.Response:
    body = {"code": code, "code_verifier": VERIFIER, "code_challenge_method": "S256", **more}
    return httpx.post(f"{client.base_url}auth/keys", json=body, verify=False)


def error_code(answer: httpx.Response) -> tuple[int, str]:
    error = answer.json()["error"]
    assert error["code"] == answer.status_code
    return answer.status_code, error["message"]


BAD_CODE = (403, "Invalid code or code_verifier")


def test_consent_code_returns_a_working_key_once(openrouter: FakeOpenRouter, client: httpx.Client) -> None:
    code = code_of(openrouter)
    answer = exchange(client, code)
    assert answer.json().keys() == {"key", "user_id"}
    key = answer.json()["key"]
    assert openrouter.made_keys == [key]
    assert client.get("/key", headers={"Authorization": f"Bearer {key}"}).status_code == 200
    assert error_code(exchange(client, code)) == BAD_CODE
    assert openrouter.made_keys == [key]


def test_consent_returns_a_different_key_each_time(openrouter: FakeOpenRouter, client: httpx.Client) -> None:
    assert exchange(client, code_of(openrouter)).json() != exchange(client, code_of(openrouter)).json()


@pytest.mark.parametrize("wrong", [{"code_verifier": VERIFIER[::-1]}, {"code_verifier": CHALLENGE}, {"code": "other"}])
def test_consent_rejects_a_wrong_verifier_or_code(
    openrouter: FakeOpenRouter, client: httpx.Client, wrong: dict[str, str]
) -> None:
    code = code_of(openrouter)
    assert error_code(exchange(client, **{"code": code, **wrong})) == BAD_CODE
    assert exchange(client, code).status_code == 200


def test_consent_code_expires_after_ten_minutes(openrouter: FakeOpenRouter, client: httpx.Client) -> None:
    young, old = code_of(openrouter), code_of(openrouter)
    openrouter.age_codes(590)
    assert exchange(client, young).status_code == 200
    openrouter.age_codes(11)
    assert error_code(exchange(client, old)) == (403, "Authorization code expired")


@pytest.mark.parametrize("method", ["plain", None, "S512"])
def test_consent_requires_the_challenge_method_of_the_authorization(
    openrouter: FakeOpenRouter, client: httpx.Client, method: str | None
) -> None:
    answer = exchange(client, code_of(openrouter), code_challenge_method=method)
    assert error_code(answer) == (400, "Invalid code_challenge_method")


def test_consent_accepts_plain_and_absent_challenges(openrouter: FakeOpenRouter, client: httpx.Client) -> None:
    plain = code_of(openrouter, code_challenge=VERIFIER, code_challenge_method="plain")
    assert exchange(client, plain, code_challenge_method="plain").status_code == 200
    assert error_code(exchange(client, code_of(openrouter, code_challenge=VERIFIER)))[0] == 400, "plain is the default"
    assert exchange(client, code_of(openrouter, workspace="x")).status_code == 200


def test_consent_callback_keeps_its_query_and_receives_the_code(page: Any) -> None:
    back = page(callback_url=CALLBACK, **S256)
    assert back.status_code == 302
    url = httpx.URL(back.headers["Location"])
    assert (url.host, url.path, url.params["a"], url.params["state"]) == ("app.example", "/callback", "&", "S")
    assert url.params["code"].startswith("auth_code_")


def test_consent_without_a_callback_returns_the_code_on_the_page(
    openrouter: FakeOpenRouter, client: httpx.Client
) -> None:
    back, brought = allow(str(httpx.URL(openrouter.auth_url, params=S256)))
    assert back == ""
    assert exchange(client, brought["code"]).status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"callback_url": "http://app.example/callback", **S256},
        {"callback_url": "javascript:alert(1)", **S256},
        {"callback_url": CALLBACK, "code_challenge_method": "S256"},
        {"callback_url": CALLBACK, "code_challenge": CHALLENGE, "code_challenge_method": "S512"},
    ],
)
def test_consent_rejects_an_invalid_authorization_request(page: Any, query: dict[str, str]) -> None:
    assert error_code(page(**query))[0] == 400


def test_consent_accepts_a_loopback_callback_over_http(page: Any) -> None:
    for callback in ("http://localhost:3000/cb", "http://127.0.0.1:1/cb"):
        assert page(callback_url=callback, **S256).headers["Location"].startswith(f"{callback}?code=")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"code": 7}'])
def test_consent_returns_400_for_an_unreadable_body(client: httpx.Client, body: bytes) -> None:
    assert client.post("/auth/keys", content=body).status_code == 400


def test_consent_exchange_requires_post(client: httpx.Client) -> None:
    assert error_code(client.get("/auth/keys"))[0] == 405


def test_consent_returns_queued_keys_and_replies(openrouter: FakeOpenRouter, client: httpx.Client) -> None:
    openrouter.queue_key("sk-or-v1-untold-0123")
    openrouter.script_exchange(502, b"{}")
    code = code_of(openrouter)
    assert exchange(client, code).status_code == 502
    key = exchange(client, code).json()["key"]
    assert key == "sk-or-v1-untold-0123"
    assert client.get("/key", headers={"Authorization": f"Bearer {key}"}).status_code == 500
