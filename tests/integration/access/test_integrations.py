"""Keys for external services are tested, encrypted at rest, and never returned."""

import logging
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from typing import Any
from urllib.parse import quote

import pytest
from botocore.exceptions import ClientError

from instant.adapters.aws import client as aws
from tests.integration.app import GOOD_KEY, App
from tests.integration.synced_app import created, deployed_synced_app, new_user

PATH = "/api/user/integrations/openrouter"
REFUSED_KEY = "sk-or-v1-revoked-0123456789abcdef"


@pytest.fixture(scope="module")
def shared() -> Iterator[App]:
    with deployed_synced_app() as app:
        yield app


def row_of(app: App, user: str) -> dict[str, Any]:
    """Return the user's stored integration, or {}."""
    rows = [row for row in app.table("INTEGRATIONS_TABLE") if row["service"]["S"] != "#user"]
    return next((row for row in rows if row["user_id"]["S"] == f"user_{user}"), {})


def spellings(key: str) -> Iterator[bytes]:
    """Return the encodings in which a key could be hidden, at any offset of a longer text."""
    for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
        data = key.encode(encoding)
        yield from (data, data[::-1], data.hex().encode(), data.hex().upper().encode(), quote(key).encode())
        for shift in range(3):
            yield b64encode(bytes(shift) + data)[4:-4]
    yield key.removeprefix("sk-or-v1-").encode()


def test_put_integration_checks_the_key_once_and_stores_it(shared: App) -> None:
    user = new_user()
    shared.fake.forget_requests()
    answer = shared.connect(user)
    assert answer.status == 201
    (check,) = shared.fake.requests
    assert (check.method, check.path, check.body) == ("GET", "/api/v1/key", b"")
    assert check.headers["authorization"] == f"Bearer {GOOD_KEY}"
    saved = answer.json
    assert saved == {
        "service": "openrouter",
        "hint": GOOD_KEY[-4:],
        "key_sha256": sha256(GOOD_KEY.encode()).hexdigest(),
        "label": "sk-or-v1-...def",
        "status": "ok",
        "is_enabled": True,
        "limit_remaining_usd": "5",
        "max_cost_per_call_usd": "0.25",
        "last_verified_at": saved["created_at"],
        "created_at": saved["created_at"],
    }
    assert shared.call("GET", PATH, user=user).json == saved


def test_put_integration_does_not_store_or_return_the_key(shared: App) -> None:
    user = new_user()
    answer = shared.connect(user)
    row = row_of(shared, user)
    values = [value for typed in row.values() for value in typed.values()]
    stored = b"\n".join(value if isinstance(value, bytes) else str(value).encode() for value in values)
    for place in (stored, repr(row).encode(), answer.text.encode()):
        assert [spelling for spelling in spellings(GOOD_KEY) if spelling in place] == []


def test_ciphertext_decrypts_only_for_its_user_and_service(shared: App) -> None:
    user = new_user()
    shared.connect(user)
    sealed = row_of(shared, user)["ciphertext"]["B"]
    context = {"app": "instant", "stage": "test", "user_id": f"user_{user}", "service": "openrouter"}
    opened = aws.client("kms").decrypt(CiphertextBlob=sealed, EncryptionContext=context)
    assert opened["Plaintext"] == GOOD_KEY.encode()
    others: list[dict[str, str]] = [{}, *({**context, name: "other"} for name in context)]
    others += [{name: value for name, value in context.items() if name != left_out} for left_out in context]
    for other in others:
        with pytest.raises(ClientError, match="InvalidCiphertext"):
            aws.client("kms").decrypt(CiphertextBlob=sealed, EncryptionContext=other)


def test_same_key_of_two_users_has_different_ciphertexts(shared: App) -> None:
    users = new_user(), new_user()
    for user in users:
        shared.connect(user)
    first, second = (row_of(shared, user)["ciphertext"]["B"] for user in users)
    assert first != second


def test_put_integration_does_not_store_a_rejected_key(shared: App) -> None:
    user = new_user()
    answer = shared.connect(user, REFUSED_KEY)
    assert (answer.status, answer.code, answer.json["error"]["retryable"]) == (409, "credential_rejected", False)
    assert REFUSED_KEY not in answer.text
    assert row_of(shared, user) == {}
    assert shared.call("GET", PATH, user=user).status == 404


def test_put_integration_keeps_the_old_key_after_a_rejection(shared: App) -> None:
    user = new_user()
    shared.connect(user)
    before = row_of(shared, user)
    assert shared.connect(user, REFUSED_KEY).status == 409
    assert row_of(shared, user) == before


MALFORMED = [
    "",
    " ",
    f"{GOOD_KEY}\n",
    f"\n{GOOD_KEY}",
    f" {GOOD_KEY}",
    f"{GOOD_KEY} ",
    f"{GOOD_KEY[:20]}\r\nX-Evil: canary{GOOD_KEY[20:]}",
    f"{GOOD_KEY}\0",
    f"Bearer {GOOD_KEY}",
    "sk-or-",
    "sk-or-v1-ab",
    "sk-proj-0123456789abcdef0123456789abcdef",
    "x4k_live_0123456789abcdef0123456789abcdef",
    "sk-or-v1-" + "0123456789abcde\N{LATIN SMALL LETTER E WITH ACUTE}" * 2,
    "sk-or-v1-" + "\N{ARABIC-INDIC DIGIT ONE}" * 32,
    "sk-or-v1-" + "a" * 300,
    "sk-or-v1-" + "b" * 5_000,
    "\N{FULLWIDTH LATIN SMALL LETTER S}" + GOOD_KEY[1:],
]


@pytest.mark.parametrize("key", MALFORMED, ids=range(len(MALFORMED)))
def test_put_integration_rejects_a_malformed_key_without_echoing_it(
    shared: App, key: str, caplog: pytest.LogCaptureFixture
) -> None:
    user = new_user()
    shared.fake.forget_requests()
    with caplog.at_level(logging.DEBUG):
        answer = shared.connect(user, key)
    assert (answer.status, answer.json["error"]["details"]["field"]) == (422, "api_key")
    core = key.strip().removeprefix("Bearer ")[:40]
    assert len(core) < 7 or (core not in answer.text and core not in caplog.text)
    assert "canary" not in answer.text + caplog.text
    assert shared.fake.requests == []
    assert row_of(shared, user) == {}


@pytest.mark.parametrize("key", [None, 7, True, [GOOD_KEY], {"value": GOOD_KEY}])
def test_put_integration_requires_a_string_key(shared: App, key: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        answer = shared.call("POST", PATH, {"api_key": key}, user=new_user())
    assert (answer.status, answer.json["error"]["details"]["field"]) == (422, "api_key")
    assert GOOD_KEY not in answer.text + caplog.text


def test_logs_do_not_contain_the_key(shared: App, caplog: pytest.LogCaptureFixture) -> None:
    user = new_user()
    with caplog.at_level(logging.DEBUG):
        shared.connect(user)
        assert shared.call("POST", f"{PATH}/test", user=user).status == 200
        assert shared.execute(created(shared, user)["resource_id"], user=user).status == 200
        shared.connect(user, REFUSED_KEY)
        shared.connect(user, f"{GOOD_KEY}\n")
    for spelling in (*spellings(GOOD_KEY), *spellings(REFUSED_KEY)):
        assert spelling.decode("latin-1") not in caplog.text


@pytest.mark.parametrize("scopes", ["execute", "admin", "execute admin", ""])
def test_put_integration_requires_the_manage_scope(shared: App, scopes: str) -> None:
    user = new_user()
    shared.connect(user)
    before = row_of(shared, user)
    shared.fake.forget_requests()
    reads = [("GET", PATH, None)] if "admin" not in scopes else []
    calls = [*reads, ("POST", PATH, {"api_key": GOOD_KEY}), ("PATCH", PATH, {"is_enabled": False})]
    for method, path, body in [*calls, ("DELETE", PATH, None), ("POST", f"{PATH}/test", None)]:
        answer = shared.call(method, path, body, scopes=scopes, user=user)
        assert (answer.status, answer.code) == (403, "forbidden")
    assert shared.fake.requests == []
    assert row_of(shared, user) == before
