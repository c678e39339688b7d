"""API keys: shown once, stored as a hash, limited to the scopes of their creator, and revoked permanently."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest

from instant.domain.access.api_key import is_well_formed
from tests.integration.app import Answer, App
from tests.integration.aws_calls import operations, recorded
from tests.integration.synced_app import deployed_synced_app, new_user

PATH = "/api/user/api-keys"


@pytest.fixture(scope="module")
def shared() -> Iterator[App]:
    with deployed_synced_app() as app:
        yield app


def _make(app: App, user: str, *, own: str = "admin execute manage read", **body: Any) -> Answer:
    return app.call("POST", PATH, {"name": "laptop", "scopes": ["execute"], **body}, user=user, scopes=own)


def _list(app: App, user: str) -> list[dict[str, Any]]:
    answer = app.call("GET", PATH, user=user, query={"revoked": "true"})
    assert (answer.status, answer.json["next_cursor"]) == (200, None)
    return list(answer.json["data"])


def test_create_key_returns_the_key_once_and_stores_a_hash(shared: App) -> None:
    user = new_user()
    answer = _make(shared, user, scopes=["manage", "execute", "execute"])
    assert answer.status == 201
    made = answer.json
    key = made.pop("api_key")
    assert key.startswith("x4k_live_")
    assert is_well_formed(key)
    assert made == {
        "key_id": made["key_id"],
        "name": "laptop",
        "last4": key[-4:],
        "scopes": ["execute", "manage", "read"],
        "created_at": made["created_at"],
        "expires_at": None,
        "revoked_at": None,
        "last_used_at": None,
        "parent_id": None,
        "replaces": None,
    }
    assert _list(shared, user) == [made]
    rows = shared.table("API_KEYS_TABLE")
    (row,) = (row for row in rows if row.get("user_id") == {"S": f"user_{user}"})
    assert row["key_hash"]["S"] == sha256(key.encode()).hexdigest()
    assert all(key[9 + start : 17 + start] not in repr(rows) for start in range(len(key) - 17))


def test_list_keys_shows_no_secret_and_no_other_user(shared: App) -> None:
    user, other = new_user(), new_user()
    keys = [_make(shared, user, name=name).json for name in ("one", "two")]
    foreign = _make(shared, other).json
    listed = shared.call("GET", PATH, user=user)
    assert [key["name"] for key in listed.json["data"]] == ["two", "one"]
    for key in (*keys, foreign):
        assert key["api_key"] not in listed.text
        assert sha256(key["api_key"].encode()).hexdigest() not in listed.text
    assert foreign["key_id"] not in listed.text


@pytest.mark.parametrize(
    ("own", "wanted", "missing"),
    [
        ("manage", ["execute"], "execute"),
        ("manage execute", ["admin"], "admin"),
        ("manage execute", ["admin", "execute"], "admin"),
        ("manage", ["admin", "execute", "manage"], "admin, execute"),
    ],
)
def test_create_key_rejects_scopes_the_caller_lacks(shared: App, own: str, wanted: list[str], missing: str) -> None:
    user = new_user()
    answer = _make(shared, user, own=own, scopes=wanted)
    assert (answer.status, answer.code) == (403, "forbidden")
    assert f"{missing}." in answer.json["error"]["message"]
    assert _list(shared, user) == []


@pytest.mark.parametrize("own", ["execute", "read", "admin", "admin execute", ""])
def test_key_routes_require_the_manage_scope(shared: App, own: str) -> None:
    user = new_user()
    key_id = _make(shared, user).json["key_id"]
    answers = [_make(shared, user, own=own), shared.call("DELETE", f"{PATH}/{key_id}", user=user, scopes=own)]
    assert {(answer.status, answer.code) for answer in answers} == {(403, "forbidden")}
    assert [key["revoked_at"] for key in _list(shared, user)] == [None]


def test_create_key_stores_the_expiry_in_utc(shared: App) -> None:
    made = _make(shared, new_user(), expires_at="2099-01-01T02:00:00+02:00").json
    assert made["expires_at"] == "2099-01-01T00:00:00.000000Z"


def _soon(seconds: int) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


@pytest.mark.parametrize(
    "expiry",
    [
        *("2020-01-01T00:00:00Z", _soon(0), "2099-01-01T00:00:00", "2099-01-01", "tomorrow", "", "NaN"),
        *(0, 1e300, True, [], {}),
        *("9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", _soon(101 * 31_557_600)),
    ],
    ids=range(16),
)
def test_create_key_rejects_an_invalid_expiry_by_name(shared: App, expiry: Any) -> None:
    user = new_user()
    answer = _make(shared, user, expires_at=expiry)
    assert (answer.status, answer.json["error"]["details"]["field"]) == (422, "expires_at")
    assert _list(shared, user) == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "  "}, "name"),
        ({"name": "x" * 121}, "name"),
        ({"name": None}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": None}, "scopes"),
        ({"scopes": "execute"}, "scopes"),
        ({"scopes": ["execute", "root"]}, "scopes.1"),
        ({"scopes": ["EXECUTE"]}, "scopes.0"),
        ({"user_id": "user_bob"}, "user_id"),
        ({"key_id": "key_1"}, "key_id"),
    ],
)
def test_create_key_rejects_invalid_fields_by_name(shared: App, body: dict[str, Any], field: str) -> None:
    user = new_user()
    answer = _make(shared, user, **body)
    assert (answer.status, answer.json["error"]["details"]["field"]) == (422, field)
    assert _list(shared, user) == []


def test_revoke_key_keeps_the_first_revocation_time(shared: App) -> None:
    user = new_user()
    kept, gone = (_make(shared, user, name=name).json for name in ("kept", "gone"))
    first = shared.call("DELETE", f"{PATH}/{gone['key_id']}", user=user)
    assert (first.status, first.text) == (204, "")
    revoked_at = next(key["revoked_at"] for key in _list(shared, user) if key["key_id"] == gone["key_id"])
    assert revoked_at > gone["created_at"]
    assert shared.call("DELETE", f"{PATH}/{gone['key_id']}", user=user).status == 204
    assert {key["key_id"]: key["revoked_at"] for key in _list(shared, user)} == {
        kept["key_id"]: None,
        gone["key_id"]: revoked_at,
    }


def test_revoke_key_finds_a_new_key_without_an_index(shared: App) -> None:
    user = new_user()
    key_id = _make(shared, user).json["key_id"]
    with recorded("dynamodb") as calls:
        assert shared.call("DELETE", f"{PATH}/{key_id}", user=user).status == 204
    assert operations(calls) == ["GetItem", "GetItem", "UpdateItem", "UpdateItem", "TransactWriteItems"]
    assert [call.parameters["ConsistentRead"] for call in calls[:2]] == [True, True]


def test_revoke_key_of_another_user_returns_not_found(shared: App) -> None:
    user, stranger = new_user(), new_user()
    made = _make(shared, user).json
    ids = [made["key_id"], "key_00000000000000000000000000", made["api_key"]]
    ids.append(sha256(made["api_key"].encode()).hexdigest())
    answers = [shared.call("DELETE", f"{PATH}/{key_id}", user=stranger) for key_id in ids]
    assert (answers[0].status, answers[0].code) == (404, "not_found")
    assert all(answer == answers[0] for answer in answers)
    assert [key["revoked_at"] for key in _list(shared, user)] == [None]
