"""Keys that were created with an API key end with it, and are revoked with it on request."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import pytest

from instant.adapters.access.api_keys import DynamoApiKeyStore
from instant.adapters.aws import client as aws
from tests.integration.app import Answer, App, deployed_app
from tests.integration.synced_app import new_user

PATH = "/api/user/api-keys"


@pytest.fixture(scope="module")
def shared() -> Iterator[App]:
    with deployed_app() as app:
        yield app


def make(app: App, user: str, parent: str | None = None, **body: Any) -> Answer:
    wanted = {"name": "k", "scopes": ["execute", "manage"], **body}
    return app.call("POST", PATH, wanted, user=user, key_id=parent, scopes="execute manage")


def made(app: App, user: str, parent: str | None = None, **body: Any) -> str:
    return str(make(app, user, parent, **body).json["key_id"])


def revoke(app: App, user: str, key_id: str, **query: str) -> Answer:
    return app.call("DELETE", f"{PATH}/{key_id}", user=user, query=query)


def usable(app: App, user: str) -> set[str]:
    return {key["key_id"] for key in app.call("GET", PATH, user=user).json["data"]}


def _in(**time: int) -> str:
    return (datetime.now(UTC) + timedelta(**time)).isoformat()


def test_child_key_expires_with_its_parent(shared: App) -> None:
    user = new_user()
    parent = make(shared, user, expires_at=_in(hours=1)).json
    child = make(shared, user, parent["key_id"]).json
    assert (child["parent_id"], child["expires_at"]) == (parent["key_id"], parent["expires_at"])
    sooner = make(shared, user, parent["key_id"], expires_at=_in(minutes=5)).json
    assert sooner["expires_at"] < parent["expires_at"]
    later = make(shared, user, parent["key_id"], expires_at=_in(hours=2))
    assert (later.status, later.json["error"]["details"]["field"]) == (422, "expires_at")


def test_key_of_an_access_token_has_its_own_expiry(shared: App) -> None:
    user = new_user()
    key = make(shared, user, expires_at=_in(days=400)).json
    assert key["parent_id"] is None
    assert key["expires_at"] > _in(days=399)


def test_revoke_ends_one_key_only(shared: App) -> None:
    user = new_user()
    parent = made(shared, user)
    child = made(shared, user, parent)
    assert revoke(shared, user, parent).status == 204
    assert usable(shared, user) == {child}


def test_revoke_with_descendants_ends_every_generation(shared: App) -> None:
    user = new_user()
    parent, other = made(shared, user), made(shared, user)
    child, second = made(shared, user, parent), made(shared, user, parent)
    grandchild = made(shared, user, child)
    assert revoke(shared, user, child).status == 204
    assert usable(shared, user) == {parent, other, second, grandchild}
    assert revoke(shared, user, parent, descendants="true").status == 204
    assert usable(shared, user) == {other}
    assert revoke(shared, user, parent, descendants="true").status == 204


def test_revoke_with_descendants_continues_where_time_ran_out(shared: App) -> None:
    user = new_user()
    parent = made(shared, user)
    children = {made(shared, user, parent) for _ in range(3)}
    shared.seconds = 4
    try:
        short = revoke(shared, user, parent, descendants="true")
    finally:
        shared.seconds = App.seconds
    assert (short.status, short.code, short.headers["Retry-After"]) == (409, "in_progress", "1")
    assert usable(shared, user) == children
    assert revoke(shared, user, parent, descendants="true").status == 204
    assert usable(shared, user) == set()


def test_revoke_with_descendants_of_another_user_returns_not_found(shared: App) -> None:
    user = new_user()
    parent = made(shared, user)
    assert revoke(shared, new_user(), parent, descendants="true").status == 404
    assert usable(shared, user) == {parent}


@pytest.mark.parametrize("parent", ["key_00000000000000000000000000", "key_none"])
def test_unknown_key_creates_no_keys(shared: App, parent: str) -> None:
    answer = make(shared, new_user(), parent)
    assert (answer.status, answer.code) == (401, "unauthenticated")


def test_revoked_key_creates_no_keys(shared: App) -> None:
    user = new_user()
    parent = made(shared, user)
    revoke(shared, user, parent)
    assert make(shared, user, parent).status == 401
    assert usable(shared, user) == set()


def test_key_that_is_revoked_meanwhile_creates_no_keys(shared: App) -> None:
    """The parent is revoked between the check of the request and the transaction, which checks again."""
    user = new_user()
    parent = made(shared, user)
    store = DynamoApiKeyStore(shared.name("API_KEYS_TABLE"))
    key = store.find(parent)
    assert key
    send = aws.client("dynamodb").transact_write_items

    def revoked_first(**request: Any) -> Any:
        store.revoke(key, key.created_at)
        return send(**request)

    with mock.patch.object(aws.client("dynamodb"), "transact_write_items", revoked_first):
        answer = make(shared, user, parent)
    assert (answer.status, answer.code) == (401, "unauthenticated")
    assert usable(shared, user) == set()


def test_key_whose_creation_was_not_acknowledged_is_revoked(shared: App) -> None:
    user = new_user()
    send = aws.client("dynamodb").transact_write_items

    def unacknowledged(**request: Any) -> Any:
        send(**request)
        raise TimeoutError

    with mock.patch.object(aws.client("dynamodb"), "transact_write_items", unacknowledged):
        assert make(shared, user).status == 500
    assert usable(shared, user) == set()
    (row,) = (row for row in shared.table("API_KEYS_TABLE") if row.get("user_id") == {"S": f"user_{user}"})
    assert "revoked_at" in row
