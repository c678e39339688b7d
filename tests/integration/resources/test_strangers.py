"""Other users cannot see private resources, and cannot change public ones or read their settings."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.app import Answer, App
from tests.integration.synced_app import created, deployed_synced_app, new_user

MISSING = "res_00000000000000000000000000"
SECRET = "never tell them about the harbour"
PATCH = {"name": "Mine now"}


@pytest.fixture(scope="module")
def shared() -> Iterator[App]:
    with deployed_synced_app() as app:
        app.connect("stranger")
        yield app


def _as_stranger(app: App, method: str, resource_id: str, **more: Any) -> Answer:
    if method == "EXECUTE":
        return app.execute(resource_id, user="stranger")
    body = PATCH if method == "PATCH" else None
    return app.call(method, f"/api/resources/{resource_id}", body, user="stranger", **more)


def _own(app: App, user: str, visibility: str) -> str:
    resource = created(app, user, {"system_prompt": SECRET}, visibility=visibility)
    return str(resource["resource_id"])


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE", "EXECUTE"])
def test_foreign_private_resource_returns_the_same_as_missing(shared: App, method: str) -> None:
    resource_id = _own(shared, new_user(), "private")
    shared.fake.forget_requests()
    before = shared.table("RESOURCES_TABLE")
    missing, foreign = (_as_stranger(shared, method, each) for each in (MISSING, resource_id))
    assert (foreign.status, foreign.code) == (404, "not_found")
    assert foreign == missing
    assert shared.table("RESOURCES_TABLE") == before
    assert shared.fake.requests == []


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
@pytest.mark.parametrize("visibility", ["public", "unlisted"])
def test_foreign_visible_resource_rejects_changes(shared: App, method: str, visibility: str) -> None:
    resource_id = _own(shared, new_user(), visibility)
    before = shared.table("RESOURCES_TABLE")
    missing = _as_stranger(shared, method, MISSING)
    for revision in ("1", "2"):
        assert _as_stranger(shared, method, resource_id, headers={"If-Match": f'"{revision}"'}) == missing
    assert _as_stranger(shared, method, resource_id) == missing
    assert missing.status == 404
    assert shared.table("RESOURCES_TABLE") == before


@pytest.mark.parametrize("visibility", ["public", "unlisted"])
def test_visible_resource_returns_its_model_without_settings(shared: App, visibility: str) -> None:
    owner = new_user()
    resource_id = _own(shared, owner, visibility)
    seen = _as_stranger(shared, "GET", resource_id)
    assert seen.status == 200
    assert "config" not in seen.json
    assert SECRET not in seen.text
    assert seen.json["model"]["openrouter_id"] == seen.json["ai_model_id"]
    assert "prompt" in seen.json["inputs_schema"]["properties"]
    own = shared.call("GET", f"/api/resources/{resource_id}", user=owner)
    assert own.json["config"]["system_prompt"] == SECRET
    assert own.json["stats"].keys() - seen.json["stats"].keys() == {"cost_usd_30d"}


def test_public_list_does_not_return_settings(shared: App) -> None:
    owner = new_user()
    resource_id = _own(shared, owner, "public")
    for sort in ("newest", "most_used", "success_rate"):
        for user in ("stranger", owner):
            query = {"listing": "public", "sort": sort, "limit": "200"}
            listed = shared.call("GET", "/api/resources", query=query, user=user)
            assert resource_id in [row["resource_id"] for row in listed.json["data"]]
            assert SECRET not in listed.text
            assert all("config" not in row for row in listed.json["data"])


def test_foreign_execution_does_not_return_the_system_prompt(shared: App) -> None:
    resource_id = _own(shared, new_user(), "public")
    shared.fake.forget_requests()
    answer = _as_stranger(shared, "EXECUTE", resource_id)
    assert answer.status == 200
    assert SECRET not in answer.text
    assert SECRET in shared.fake.chat_requests[0].body.decode()
    refused = shared.execute(resource_id, "[[fake: error 400]]", user="stranger")
    assert (refused.status, SECRET in refused.text) == (502, False)


@pytest.mark.parametrize("scopes", ["execute", "admin", "execute admin", ""])
def test_writes_require_the_manage_scope(shared: App, scopes: str) -> None:
    owner = new_user()
    path = f"/api/resources/{_own(shared, owner, 'private')}"
    before = shared.table("RESOURCES_TABLE")
    body = {"resource_type": "openrouter_instant", "name": "Two", "config": {"model": "meadow/lark"}}
    answers = [
        shared.call("POST", "/api/resources", body, scopes=scopes, user=owner),
        shared.call("PATCH", path, PATCH, scopes=scopes, user=owner),
        shared.call("DELETE", path, scopes=scopes, user=owner),
        shared.call("DELETE", f"/api/resources/{MISSING}", scopes=scopes, user=owner),
    ]
    assert {(answer.status, answer.code) for answer in answers} == {(403, "forbidden")}
    assert all("'manage'" in answer.json["error"]["message"] for answer in answers)
    assert shared.table("RESOURCES_TABLE") == before


def test_reads_do_not_require_the_manage_scope(shared: App) -> None:
    owner = new_user()
    path = f"/api/resources/{_own(shared, owner, 'private')}"
    assert shared.call("GET", path, scopes="execute", user=owner).status == 200
    assert len(shared.call("GET", "/api/resources", scopes="execute", user=owner).json["data"]) == 1
