"""Resources are created, read by permitted users and addressed by owner and slug."""

from collections.abc import Iterator
from typing import Any

import pytest

from instant.adapters.aws import client as aws
from tests.integration.app import App
from tests.integration.synced_app import MODEL, create, deployed_synced_app, new_user


@pytest.fixture(scope="module")
def shared() -> Iterator[App]:
    with deployed_synced_app() as app:
        yield app


def test_owner_creates_and_reads_a_resource(shared: App) -> None:
    user, fields = new_user(), {"description": "Three lines.", "category": "fun", "visibility": "unlisted"}
    answer = create(shared, user, {"temperature": 0.5, "max_tokens": 200}, **fields)
    assert answer.status == 201
    resource = answer.json
    assert resource["resource_id"].startswith("res_")
    assert len(resource["resource_id"]) == 30
    assert {name: resource[name] for name in fields} == fields
    assert (resource["name"], resource["slug"], resource["revision"]) == ("Haiku", "haiku", 1)
    assert resource["config"] == {"model": MODEL, "temperature": 0.5, "max_tokens": 200}
    assert resource["ai_model_id"] == MODEL
    handle, slug = resource["address"].split("/")
    assert (len(handle), handle[0], slug) == (13, "u", "haiku")
    assert resource["created_at"] == resource["updated_at"]

    detail = shared.call("GET", f"/api/resources/{resource['resource_id']}", user=user).json
    assert {name: detail[name] for name in resource} == resource
    assert (detail["model"]["openrouter_id"], detail["model"]["display_name"]) == (MODEL, "Meadow: Lark")
    assert detail["model"]["tool_calling_supported"] is True
    assert set(detail["inputs_schema"]["properties"]) == {"prompt", "images", "messages"}
    counts = ("call_count", "success_count_30d", "failure_count_30d")
    assert [detail["stats"][name] for name in counts] == [0, 0, 0]
    assert (detail["stats"]["cost_usd_30d"], detail["stats"]["last_called_at"]) == ("0", None)


def test_omitted_fields_default_to_private_and_null(shared: App) -> None:
    resource = create(shared, new_user()).json
    assert (resource["visibility"], resource["description"], resource["category"]) == ("private", None, None)
    assert resource["config"] == {"model": MODEL}


def test_statistics_count_calls_and_costs(shared: App) -> None:
    user = new_user()
    shared.connect(user)
    resource_id = create(shared, user).json["resource_id"]
    assert shared.execute(resource_id, user=user).status == 200
    assert shared.execute(resource_id, "[[fake: error 400]]", user=user).status == 502
    stats = shared.call("GET", f"/api/resources/{resource_id}", user=user).json["stats"]
    assert (stats["call_count"], stats["success_count_30d"], stats["failure_count_30d"]) == (2, 1, 1)
    assert float(stats["cost_usd_30d"]) > 0
    assert stats["last_called_at"] is not None


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Haiku, in  3 Lines!", "haiku-in-3-lines"),
        ("俳句", "resource"),
        ("-- a --", "a"),
        ("x" * 120, "x" * 48),
        ("a " * 60, ("a-" * 24)[:-1]),
    ],
)
def test_omitted_slug_is_derived_from_the_name(shared: App, name: str, slug: str) -> None:
    assert create(shared, new_user(), name=name).json["slug"] == slug


def test_create_keeps_a_given_slug_and_rejects_duplicates(shared: App) -> None:
    user = new_user()
    assert create(shared, user, slug="my-own-2").json["slug"] == "my-own-2"
    before = shared.table("RESOURCES_TABLE")
    again = create(shared, user, slug="my-own-2")
    assert (again.status, again.code, again.json["error"]["retryable"]) == (409, "address_taken", False)
    assert "my-own-2" in again.json["error"]["message"]
    assert shared.table("RESOURCES_TABLE") == before


def test_derived_slug_avoids_existing_slugs(shared: App) -> None:
    user = new_user()
    slugs = [create(shared, user, name="Haiku " * 8).json["slug"] for _ in range(3)]
    assert slugs[0] == ("haiku-" * 8)[:-1]
    assert len(set(slugs)) == 3
    assert all(slug.startswith("haiku-haiku-") and len(slug) <= 48 for slug in slugs)


def test_two_owners_may_use_the_same_slug(shared: App) -> None:
    first, second = (create(shared, new_user(), slug="mine").json for _ in range(2))
    assert first["slug"] == second["slug"]
    assert first["address"] != second["address"]


@pytest.mark.parametrize("slug", ["", "Haiku", "-a", "a-", "a--b", "a b", "a/b", "ä", "a\n", "a" * 49, 7, ["a"]])
def test_create_rejects_invalid_slugs(shared: App, slug: Any) -> None:
    before = shared.table("RESOURCES_TABLE")
    answer = create(shared, new_user(), slug=slug)
    assert (answer.status, answer.json["error"]["details"]["field"]) == (422, "slug")
    assert shared.table("RESOURCES_TABLE") == before


def test_address_row_resolves_to_the_resource(shared: App) -> None:
    user = new_user()
    resource = create(shared, user).json
    rows = {row["resource_id"]["S"]: row for row in shared.table("RESOURCES_TABLE")}
    assert rows[f"addr#{resource['address']}"]["target"]["S"] == resource["resource_id"]
    shared.connect(user)
    body = {"resource": resource["address"], "inputs": {"prompt": "hello"}}
    assert shared.call("POST", "/api/execute", body, user=user).status == 200
    for address in (f"addr#{resource['address']}", f"addr%23{resource['address'].replace('/', '%2F')}"):
        answer = shared.call("POST", "/api/execute", {"resource_id": address, "inputs": {"prompt": "hello"}}, user=user)
        assert answer.status == 404
    path = f"/api/resources/addr%23{resource['address'].replace('/', '%2F')}"
    assert shared.call("GET", path, user=user).status == 404


def test_create_does_not_accept_an_owner_from_the_request(shared: App) -> None:
    user = new_user()
    answer = create(shared, user, owner_id="user_bob")
    assert (answer.status, answer.json["error"]["details"]["field"]) == (422, "owner_id")
    body = {"resource_type": "openrouter_instant", "name": "Haiku", "config": {"model": MODEL}}
    headers = {"X-User-Id": "user_bob", "user_id": "user_bob"}
    created = shared.call("POST", "/api/resources", body, headers=headers, user=user)
    (row,) = (r for r in shared.table("RESOURCES_TABLE") if r["resource_id"]["S"] == created.json["resource_id"])
    assert row["owner_id"]["S"] == f"user_{user}"


def test_create_requires_a_known_resource_type(shared: App) -> None:
    answer = create(shared, new_user(), resource_type="telepathy")
    assert (answer.status, answer.json["error"]["details"]["field"]) == (422, "resource_type")
    assert "openrouter_instant" in answer.json["error"]["message"]


def test_create_rejects_settings_too_large_to_store(shared: App) -> None:
    """The limit applies to the stored form, in which each é takes six bytes."""
    user = new_user()
    fits = create(shared, user, {"system_prompt": "é" * 49_000})
    assert fits.status == 201, fits.text
    path, before = f"/api/resources/{fits.json['resource_id']}", shared.table("RESOURCES_TABLE")
    tools = [{"function": {"name": "f", "description": "d" * 2_000}}] * 60
    for config in ({"system_prompt": "é" * 50_000}, {"system_prompt": "x" * 200_000, "tools": tools}):
        changed = shared.call("PATCH", path, {"config": {"model": MODEL, **config}}, user=user)
        for answer in (create(shared, user, config), changed):
            assert (answer.status, answer.json["error"]["details"]["field"]) == (422, "config")
            assert "300000" in answer.json["error"]["message"]
    assert shared.table("RESOURCES_TABLE") == before


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"model": "no/such"}, "config.model"),
        ({"fallback_models": ["no/such"]}, "config.fallback_models.0"),
        ({"fallback_models": ["meadow/lark-mini", "no/such"]}, "config.fallback_models.1"),
        ({"model": "no/such", "fallback_models": ["no/such"]}, "config.model"),
    ],
)
def test_create_names_the_field_of_an_unusable_model(shared: App, config: dict[str, Any], field: str) -> None:
    answer = create(shared, new_user(), config)
    assert (answer.status, answer.json["error"]["details"]["field"]) == (422, field)


def test_create_above_the_maximum_number_is_rejected(shared: App) -> None:
    user = new_user()
    assert create(shared, user).status == 201
    key = {"resource_id": {"S": f"count#user_{user}"}, "live": {"N": "1000"}}
    aws.client("dynamodb").put_item(TableName=shared.name("RESOURCES_TABLE"), Item=key)
    answer = create(shared, user, slug="one-too-many")
    assert (answer.status, answer.code) == (409, "limit_reached")
    assert answer.json["error"]["details"] == {"limit": "resources", "most": 1000}
