"""Resources change field by field, by revision, and go away for good."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from instant.adapters import aws
from instant.adapters.resource_store import DynamoResourceStore
from tests.integration.house import Answer, House


def patch(house: House, resource: dict[str, Any], body: dict[str, Any], revision: str | None = None) -> Answer:
    """Change it as alice."""
    headers = {} if revision is None else {"If-Match": revision}
    return house.call("PATCH", f"/api/resources/{resource['resource_id']}", body, headers=headers)


def read(house: House, resource: dict[str, Any]) -> dict[str, Any]:
    """The resource as its creator got it, as it is now."""
    answer = house.call("GET", f"/api/resources/{resource['resource_id']}")
    assert answer.status == 200, answer.text
    return {name: answer.json[name] for name in resource}


def test_only_what_is_sent_changes(furnished: House) -> None:
    resource = furnished.resource(description="old", category="fun")
    changed = patch(furnished, resource, {"name": "New name", "visibility": "public", "description": None})
    assert changed.status == 200
    expected = {"name": "New name", "visibility": "public", "description": None, "revision": 2}
    assert changed.json == {**resource, **expected, "updated_at": changed.json["updated_at"]}
    assert changed.json["updated_at"] > resource["updated_at"]
    assert read(furnished, resource) == changed.json


def test_settings_are_replaced_whole_and_the_model_with_them(furnished: House) -> None:
    resource = furnished.resource(config={"temperature": 0.5})
    changed = patch(furnished, resource, {"config": {"model": "meadow/lark"}}).json
    assert (changed["config"], changed["ai_model_id"]) == ({"model": "meadow/lark"}, "meadow/lark")
    detail = furnished.call("GET", f"/api/resources/{resource['resource_id']}").json
    assert detail["model"]["openrouter_id"] == "meadow/lark"


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
def test_a_bad_change_is_named_and_changes_nothing(furnished: House, body: dict[str, Any], field: str) -> None:
    resource = furnished.resource()
    answer = patch(furnished, resource, {"category": "poems", **body})
    assert (answer.status, answer.json["error"]["details"]["field"]) == (422, field)
    assert read(furnished, resource) == resource


def test_a_moved_slug_frees_the_old_address(furnished: House) -> None:
    resource = furnished.resource(slug="old")
    moved = patch(furnished, resource, {"slug": "new"}).json
    assert moved["address"].endswith("/new")
    addresses = {row["resource_id"]["S"].split("/")[-1] for row in furnished.table("RESOURCES_TABLE")}
    assert addresses == {"new", resource["resource_id"]}
    assert furnished.resource(slug="old")["slug"] == "old"
    taken = patch(furnished, resource, {"slug": "old"})
    assert (taken.status, taken.code) == (409, "address_taken")
    assert read(furnished, resource) == moved
    assert patch(furnished, resource, {"slug": "new", "name": "Same address"}).status == 200


@pytest.mark.parametrize("revision", ['"1"', "1", 'W/"1"', "*", "", ' "1" '])
def test_the_current_revision_may_be_named(furnished: House, revision: str) -> None:
    assert patch(furnished, furnished.resource(), {"name": "New"}, revision).json["revision"] == 2


def test_a_stale_revision_is_a_conflict(furnished: House) -> None:
    resource = furnished.resource()
    changed = patch(furnished, resource, {"name": "First"}, '"1"').json
    for revision in ('"1"', '"3"', '"0"', '"999999999"'):
        late = patch(furnished, resource, {"name": "Second"}, revision)
        assert (late.status, late.code) == (409, "revision_conflict")
        assert "revision 2" in late.json["error"]["message"]
    gone = furnished.call("DELETE", f"/api/resources/{resource['resource_id']}", headers={"If-Match": '"1"'})
    assert (gone.status, gone.code) == (409, "revision_conflict")
    assert read(furnished, resource) == changed


@pytest.mark.parametrize("revision", ["abc", '"-1"', '"1.0"', '"1", "2"', "9" * 10, '"'])
def test_what_is_no_revision_is_named(furnished: House, revision: str) -> None:
    resource = furnished.resource()
    for answer in (
        patch(furnished, resource, {"name": "New"}, revision),
        furnished.call("DELETE", f"/api/resources/{resource['resource_id']}", headers={"If-Match": revision}),
    ):
        assert (answer.status, answer.json["error"]["details"]["field"]) == (422, "If-Match")
    assert read(furnished, resource) == resource


def _just_before_the_next_transaction(act: Callable[[], None]) -> None:
    events = aws.client("dynamodb").meta.events

    def once(**_: Any) -> None:
        events.unregister("before-call.dynamodb.TransactWriteItems", once)
        act()

    events.register("before-call.dynamodb.TransactWriteItems", once)


@pytest.mark.parametrize("revision", [None, '"1"'])
@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_of_two_writers_the_second_loses(furnished: House, method: str, revision: str | None) -> None:
    resource = furnished.resource()
    store = DynamoResourceStore(furnished.name("RESOURCES_TABLE"))
    old = store.get(resource["resource_id"])
    assert old is not None
    _just_before_the_next_transaction(lambda: store.replace(old, replace(old, name="First", revision=2)))
    headers = {} if revision is None else {"If-Match": revision}
    body = {"name": "Second"} if method == "PATCH" else None
    late = furnished.call(method, f"/api/resources/{resource['resource_id']}", body, headers=headers)
    assert (late.status, late.code) == (409, "revision_conflict")
    now = read(furnished, resource)
    assert (now["name"], now["revision"]) == ("First", 2)


def test_a_deleted_resource_is_gone_everywhere_but_in_the_history(furnished: House) -> None:
    resource = furnished.resource(visibility="public")
    ran = furnished.execute(resource["resource_id"]).json
    path = f"/api/resources/{resource['resource_id']}"
    deleted = furnished.call("DELETE", path)
    assert (deleted.status, deleted.text) == (204, "")
    answers = [
        furnished.call("GET", path),
        patch(furnished, resource, {"name": "Again"}),
        furnished.call("DELETE", path),
        furnished.execute(resource["resource_id"]),
        furnished.call("POST", "/api/execute", {"resource": resource["address"], "inputs": {"prompt": "hello"}}),
    ]
    assert [(answer.status, answer.code) for answer in answers] == [(404, "not_found")] * 5
    for listing in ("mine", "public"):
        assert furnished.call("GET", "/api/resources", query={"listing": listing}).json["data"] == []
    history = furnished.call("GET", f"/api/executions/{ran['execution_id']}")
    assert (history.status, history.json["output"]) == (200, ran["output"])


def test_deletion_frees_the_slug_and_keeps_the_row(furnished: House) -> None:
    resource = furnished.resource(slug="again", visibility="public")
    assert furnished.call("DELETE", f"/api/resources/{resource['resource_id']}").status == 204
    (row,) = furnished.table("RESOURCES_TABLE")
    assert "deleted_at" in row
    assert "listing" not in row
    assert furnished.resource(slug="again")["resource_id"] != resource["resource_id"]
