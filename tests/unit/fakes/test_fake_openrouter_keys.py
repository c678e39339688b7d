"""Fake keys: authentication, credits, and GET /key."""

from decimal import Decimal

import httpx
import pytest

from tests.fakes.openrouter import FakeOpenRouter
from tests.unit.fakes.conftest import AUTHORIZATION, Ask


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@pytest.mark.parametrize(
    ("authorization", "message"),
    [
        ("", "No cookie auth credentials found"),
        ("Bearer sk-or-v1-short", "No cookie auth credentials found"),
        ("Bearer sk-proj-0123456789", "No cookie auth credentials found"),
        ("Basic sk-or-v1-0123456789", "No cookie auth credentials found"),
        ("Bearer sk-or-v1-revoked-0123", "User not found."),
    ],
)
@pytest.mark.parametrize("path", ["/key", "/generation?id=gen-1", "/models/user"])
def test_keys_return_401_for_a_bad_key(openrouter: FakeOpenRouter, authorization: str, message: str, path: str) -> None:
    answer = httpx.get(openrouter.url + path, headers={"Authorization": authorization}, verify=False)
    assert (answer.status_code, answer.json()) == (401, {"error": {"message": message, "code": 401}})


def test_keys_can_be_revoked_at_any_time(openrouter: FakeOpenRouter, client: httpx.Client, ask: Ask) -> None:
    assert client.get("/key").status_code == 200
    openrouter.revoked_keys.add(AUTHORIZATION["Authorization"].removeprefix("Bearer "))
    assert client.get("/key").status_code == ask("Hello").status_code == 401


def test_keys_return_their_usage(client: httpx.Client, ask: Ask) -> None:
    cost = ask("Hello [[fake: price 0.781892121]]").json()["usage"]["cost"]
    data = client.get("/key").json()["data"]
    assert data["label"] == "sk-or-v1-012...def"
    assert (data["usage"], data["limit"], data["limit_remaining"]) == (cost, 5, 4.218107879)


def test_keys_can_be_unlimited(client: httpx.Client) -> None:
    data = client.get("/key", headers=bearer("sk-or-v1-uncapped-1234")).json()["data"]
    assert (data["limit"], data["limit_remaining"]) == (None, None)


def call(client: httpx.Client, key: str, **more: int) -> httpx.Response:
    body = {"model": "meadow/lark", "messages": [{"role": "user", "content": "Hello"}], **more}
    return client.post("/chat/completions", json=body, headers=bearer(key))


def test_keys_return_402_without_credits(client: httpx.Client) -> None:
    error = call(client, "sk-or-v1-broke-12345", max_completion_tokens=10).json()["error"]
    assert error["code"] == 402
    assert "You requested up to 10 tokens, but can only afford 0." in error["message"]


def test_keys_with_low_balance_accept_only_small_token_limits(client: httpx.Client) -> None:
    poor = "sk-or-v1-lowbalance-12"
    assert call(client, poor, max_completion_tokens=500).status_code == 200
    assert call(client, poor, max_tokens=500).status_code == 200
    refused = call(client, poor)
    assert refused.status_code == call(client, poor, max_completion_tokens=20_000).status_code == 402
    assert "requested up to 65536 tokens, but can only afford 10114" in refused.json()["error"]["message"]


def test_keys_return_403_when_the_limit_is_reached(client: httpx.Client) -> None:
    refused = call(client, "sk-or-v1-limited-12345", max_completion_tokens=10)
    assert refused.status_code == 403
    assert refused.json()["error"]["message"].startswith("Key limit exceeded (monthly limit).")


def test_keys_are_not_charged_for_a_failed_call(client: httpx.Client, ask: Ask) -> None:
    for wish in ("200-error", "choice-error", "error 500"):
        ask(f"Hello [[fake: {wish}]]")
    assert Decimal(str(client.get("/key").json()["data"]["usage"])) == 0
