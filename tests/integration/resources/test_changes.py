"""Resources are changed field by field, moved to another slug and deleted."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.app import Answer, App
from tests.integration.synced_app import created, deployed_synced_app, new_user


@pytest.fixture(scope="module")
def shared() -> Iterator[App]:
    with deployed_synced_app() as app:
        yield app


def patch(app: App, user: str, resource: dict[str, Any], body: dict[str, Any]) -> Answer:
    """Send a PATCH request for the resource."""
    return app.call("PATCH", f"/api/resources/{resource['resource_id']}", body, user=user)


def read(app: App, user: str, resource: dict[str, Any]) -> dict[str, Any]:
    """Return the current values of the fields of `resource`."""
    answer = app.call("GET", f"/api/resources/{resource['resource_id']}", user=user)
    assert answer.status == 200, answer.text
    return {name: answer.json[name] for name in resource}


def test_patch_changes_only_the_sent_fields(shared: App) -> None:
    user = new_user()
    resource = created(shared, user, description="old", category="fun")
    changed = patch(shared, user, resource, {"name": "New name", "visibility": "public", "description": None})
    assert changed.status == 200
    expected = {"name": "New name", "visibility": "public", "description": None, "revision": 2}
    assert changed.json == {**resource, **expected, "updated_at": changed.json["updated_at"]}
    assert changed.json["updated_at"] > resource["updated_at"]
    assert read(shared, user, resource) == changed.json


def test_patch_replaces_settings_and_model_as_a_whole(shared: App) -> None:
    user = new_user()
    resource = created(shared, user, {"temperature": 0.5})
    changed = patch(shared, user, resource, {"config": {"model": "meadow/lark-mini"}}).json
    assert (changed["config"], changed["ai_model_id"]) == ({"model": "meadow/lark-mini"}, "meadow/lark-mini")
    detail = shared.call("GET", f"/api/resources/{resource['resource_id']}", user=user).json
    assert detail["model"]["openrouter_id"] == "meadow/lark-mini"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"resource_type": "openrouter_instant"}, "resource_type"),
        ({"owner_id": "user_bob"}, "owner_id"),
        ({"revision": 9}, "revision"),
        ({"name": None}, "name"),
        ({"name": " "}, "name"),
        ({"slug": None}, "slug"),
        ({"visibility": None}, "visibility"),
        ({"visibility": "secret"}, "visibility"),
        ({"config": None}, "config"),
        ({"config": {"model": "no/such"}}, "config.model"),
        ({"config": {}}, "config.model"),
        ({"category": "Not A Slug"}, "category"),
        ({"description": "x" * 2_001}, "description"),
    ],
)
def test_invalid_patch_names_the_field_and_changes_nothing(shared: App, body: dict[str, Any], field: str) -> None:
    user = new_user()
    resource = created(shared, user)
    before = shared.table("RESOURCES_TABLE")
    answer = patch(shared, user, resource, {"category": "poems", **body})
    assert (answer.status, answer.json["error"]["details"]["field"]) == (422, field)
    assert shared.table("RESOURCES_TABLE") == before


def test_changed_slug_releases_the_old_address(shared: App) -> None:
    user = new_user()
    resource = created(shared, user, slug="old")
    moved = patch(shared, user, resource, {"slug": "new"}).json
    handle = resource["address"].split("/")[0]
    assert moved["address"] == f"{handle}/new"
    addresses = [row["resource_id"]["S"] for row in shared.table("RESOURCES_TABLE") if "target" in row]
    assert [address for address in addresses if handle in address] == [f"addr#{handle}/new"]
    assert created(shared, user, slug="old")["slug"] == "old"
    taken = patch(shared, user, resource, {"slug": "old"})
    assert (taken.status, taken.code) == (409, "address_taken")
    assert read(shared, user, resource) == moved
    assert patch(shared, user, resource, {"slug": "new", "name": "Same address"}).status == 200


def test_deleted_resource_returns_404_but_keeps_its_executions(shared: App) -> None:
    user = new_user()
    shared.connect(user)
    resource = created(shared, user, visibility="public")
    ran = shared.execute(resource["resource_id"], user=user).json
    path = f"/api/resources/{resource['resource_id']}"
    deleted = shared.call("DELETE", path, user=user)
    assert (deleted.status, deleted.text) == (204, "")
    by_address = {"resource": resource["address"], "inputs": {"prompt": "hello"}}
    answers = [
        shared.call("GET", path, user=user),
        shared.call("DELETE", path, user=user),
        patch(shared, user, resource, {"name": "Again"}),
        shared.execute(resource["resource_id"], user=user),
        shared.call("POST", "/api/execute", by_address, user=user),
    ]
    assert [(answer.status, answer.code) for answer in answers] == [(404, "not_found")] * 5
    for listing in ("mine", "public"):
        listed = shared.call("GET", "/api/resources", query={"listing": listing, "limit": "200"}, user=user)
        assert resource["resource_id"] not in listed.text
    history = shared.call("GET", f"/api/executions/{ran['execution_id']}", user=user)
    assert (history.status, history.json["output"]) == (200, ran["output"])


def test_deletion_releases_the_slug_and_keeps_the_row(shared: App) -> None:
    user = new_user()
    resource = created(shared, user, slug="again", visibility="public")
    assert shared.call("DELETE", f"/api/resources/{resource['resource_id']}", user=user).status == 204
    rows = {row["resource_id"]["S"]: row for row in shared.table("RESOURCES_TABLE")}
    assert "deleted_at" in rows[resource["resource_id"]]
    assert "listing" not in rows[resource["resource_id"]]
    assert f"addr#{resource['address']}" not in rows
    assert created(shared, user, slug="again")["resource_id"] != resource["resource_id"]
