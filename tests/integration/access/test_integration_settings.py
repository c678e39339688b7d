"""An integration can be read, disabled, capped, replaced and deleted by its user only."""

from collections.abc import Iterator
from typing import Any

import pytest

from instant.adapters.aws import client as aws
from tests.integration.access.test_integrations import PATH, row_of
from tests.integration.app import GOOD_KEY, Answer, App
from tests.integration.synced_app import created, deployed_synced_app, new_user

OTHER_KEY = "sk-or-v1-" + "fedcba9876543210" * 4


@pytest.fixture(scope="module")
def shared() -> Iterator[App]:
    with deployed_synced_app() as app:
        yield app


def _patch(app: App, user: str, body: dict[str, Any]) -> Answer:
    return app.call("PATCH", PATH, body, user=user)


def _call_every_route(app: App, path: str, user: str) -> list[Answer]:
    """Return the answers of every route except the one that saves a key."""
    return [
        app.call("GET", path, user=user),
        app.call("PATCH", path, {"is_enabled": True}, user=user),
        app.call("DELETE", path, user=user),
        app.call("POST", f"{path}/test", user=user),
    ]


def test_get_integration_without_a_key_returns_not_found(shared: App) -> None:
    answers = _call_every_route(shared, PATH, new_user())
    assert {(answer.status, answer.code) for answer in answers} == {(404, "not_found")}
    assert len({answer.text for answer in answers}) == 1


@pytest.mark.parametrize("service", ["nosuch", "OpenRouter", "openrouter%20", "..", "__class__", "#platform"])
def test_get_integration_of_an_unknown_service_returns_not_found(shared: App, service: str) -> None:
    user, path = new_user(), f"/api/user/integrations/{service}"
    shared.connect(user)
    answers = [*_call_every_route(shared, path, user), shared.call("POST", path, {"api_key": GOOD_KEY}, user=user)]
    assert {(answer.status, answer.code) for answer in answers} == {(404, "not_found")}


def test_get_integration_of_another_user_returns_not_found(shared: App) -> None:
    owner, stranger = new_user(), new_user()
    alone = _call_every_route(shared, PATH, stranger)
    shared.connect(owner)
    before = row_of(shared, owner)
    shared.fake.forget_requests()
    assert _call_every_route(shared, PATH, stranger) == alone
    assert row_of(shared, owner) == before
    assert shared.fake.requests == []


def test_patch_integration_disables_and_enables_the_key(shared: App) -> None:
    user = new_user()
    saved = shared.connect(user).json
    off = _patch(shared, user, {"is_enabled": False})
    assert (off.status, off.json) == (200, {**saved, "is_enabled": False})
    refused = shared.execute(created(shared, user)["resource_id"], user=user)
    assert (refused.status, refused.code) == (409, "credential_disabled")
    assert _patch(shared, user, {"is_enabled": True}).json == saved


@pytest.mark.parametrize(
    ("cap", "text"),
    [
        ("0.25", "0.25"),
        (0.25, "0.25"),
        (0.1, "0.1"),
        (0, "0"),
        ("0", "0"),
        (7, "7"),
        ("1e-9", "0.000000001"),
        ("0.000000001", "0.000000001"),
        ("999.999999999", "999.999999999"),
        (1000, "1000"),
        ("1e3", "1000"),
    ],
    ids=repr,
)
def test_patch_integration_stores_the_cap_in_nano_usd(shared: App, cap: Any, text: str) -> None:
    user = new_user()
    assert shared.connect(user, max_cost_per_call_usd=cap).json["max_cost_per_call_usd"] == text
    shared.connect(user, max_cost_per_call_usd="3")
    assert _patch(shared, user, {"max_cost_per_call_usd": cap}).json["max_cost_per_call_usd"] == text
    assert shared.call("GET", PATH, user=user).json["max_cost_per_call_usd"] == text
    (stored,) = [row for row in shared.table("INTEGRATIONS_TABLE") if is_cap_of(row, user)]
    assert set(stored["max_cost_per_call_nanousd"]["N"]) <= set("0123456789")


def test_a_cap_belongs_to_the_user_and_survives_the_integration(shared: App) -> None:
    user = new_user()
    shared.connect(user, max_cost_per_call_usd="3")
    assert shared.call("DELETE", PATH, user=user).status == 204
    assert shared.connect(user).json["max_cost_per_call_usd"] == "3"


def test_an_integration_of_an_earlier_release_keeps_its_cap(shared: App) -> None:
    """Until release 0.1 the cap was stored in the integration's row."""
    user = new_user()
    shared.connect(user)
    older = {**row_of(shared, user), "max_cost_per_call_nanousd": {"N": "7000000"}}
    aws.client("dynamodb").put_item(TableName=shared.name("INTEGRATIONS_TABLE"), Item=older)
    for _ in range(2):
        assert shared.call("GET", PATH, user=user).json["max_cost_per_call_usd"] == "0.007"
        assert shared.connect(user, OTHER_KEY).json["max_cost_per_call_usd"] == "0.007"
    assert "max_cost_per_call_nanousd" not in row_of(shared, user)
    assert _patch(shared, user, {"max_cost_per_call_usd": "1"}).json["max_cost_per_call_usd"] == "1"


def test_deleting_an_integration_of_an_earlier_release_keeps_its_cap(shared: App) -> None:
    user = new_user()
    shared.connect(user)
    older = {**row_of(shared, user), "max_cost_per_call_nanousd": {"N": "7000000"}}
    aws.client("dynamodb").put_item(TableName=shared.name("INTEGRATIONS_TABLE"), Item=older)
    assert shared.call("DELETE", PATH, user=user).status == 204
    assert shared.connect(user).json["max_cost_per_call_usd"] == "0.007"


def is_cap_of(row: dict[str, Any], user: str) -> bool:
    """Return whether the row has the user's own settings."""
    return (row["user_id"]["S"], row["service"]["S"]) == (f"user_{user}", "#user")


@pytest.mark.parametrize(
    "cap",
    [
        *(-1, 1e-10, 1000.01, True, [], [1], {}),
        *("-0.01", "0.0000000001", "1000.000000001", "1e999999", "NaN", "sNaN", "Infinity", "-Infinity"),
        *("ten", "0x10", "", " ", "1,5", "$1"),
    ],
    ids=repr,
)
def test_patch_integration_rejects_a_cap_out_of_range_by_name(shared: App, cap: Any) -> None:
    user = new_user()
    saved = shared.connect(user).json
    shared.fake.forget_requests()
    for answer in (
        _patch(shared, user, {"max_cost_per_call_usd": cap, "is_enabled": False}),
        shared.connect(user, OTHER_KEY, max_cost_per_call_usd=cap),
    ):
        assert (answer.status, answer.json["error"]["details"]["field"]) == (422, "max_cost_per_call_usd")
    assert shared.call("GET", PATH, user=user).json == saved
    assert shared.fake.requests == []


@pytest.mark.parametrize("body", [{}, {"is_enabled": None}, {"is_enabled": None, "max_cost_per_call_usd": None}])
def test_patch_integration_rejects_an_empty_change(shared: App, body: dict[str, Any]) -> None:
    user = new_user()
    shared.connect(user)
    answer = _patch(shared, user, body)
    assert (answer.status, answer.code) == (422, "invalid_field")
    assert "is_enabled" in answer.json["error"]["message"]


@pytest.mark.parametrize("field", ["api_key", "status", "ciphertext", "user_id", "hint"])
def test_patch_integration_rejects_other_fields(shared: App, field: str) -> None:
    user = new_user()
    shared.connect(user)
    before = row_of(shared, user)
    answer = _patch(shared, user, {"is_enabled": False, field: "x"})
    assert (answer.status, answer.json["error"]["details"]["field"]) == (422, field)
    assert row_of(shared, user) == before


def test_new_key_replaces_the_old_and_keeps_the_cap(shared: App) -> None:
    user = new_user()
    shared.connect(user, max_cost_per_call_usd="0.5")
    _patch(shared, user, {"is_enabled": False})
    before = row_of(shared, user)
    replaced = shared.connect(user, OTHER_KEY).json
    assert (replaced["hint"], replaced["max_cost_per_call_usd"]) == ("3210", "0.5")
    assert replaced["is_enabled"] is True, "connecting a key enables it"
    assert replaced["created_at"] == before["created_at"]["S"] < replaced["last_verified_at"]
    assert row_of(shared, user)["ciphertext"] != before["ciphertext"]
    assert shared.connect(user, max_cost_per_call_usd="0.75").json["max_cost_per_call_usd"] == "0.75"
    shared.fake.forget_requests()
    shared.execute(created(shared, user)["resource_id"], user=user)
    assert shared.fake.chat_requests[0].headers["authorization"] == f"Bearer {GOOD_KEY}"


def test_integration_of_a_key_without_a_limit_returns_null(shared: App) -> None:
    saved = shared.connect(new_user(), "sk-or-v1-uncapped-0123456789").json
    assert (saved["status"], saved["limit_remaining_usd"]) == ("ok", None)


def test_delete_integration_removes_the_key(shared: App) -> None:
    user = new_user()
    shared.connect(user)
    resource = created(shared, user)
    deleted = shared.call("DELETE", PATH, user=user)
    assert (deleted.status, deleted.text) == (204, "")
    assert row_of(shared, user) == {}
    assert {answer.status for answer in _call_every_route(shared, PATH, user)} == {404}
    refused = shared.execute(resource["resource_id"], user=user)
    assert (refused.status, refused.code) == (409, "credential_missing")
    assert "POST /api/user/integrations/openrouter" in refused.json["error"]["message"]
