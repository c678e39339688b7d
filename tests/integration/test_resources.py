"""Resources are created, read by whoever may see them, and live at an address made of owner and name."""

from typing import Any

import pytest

from tests.integration.house import Answer, House

MODEL = "meadow/lark"


def create(house: House, *, user: str = "alice", config: dict[str, Any] | None = None, **fields: Any) -> Answer:
    """Create a resource on a plain model."""
    body = {"resource_type": "openrouter_instant", "name": "Haiku", "config": {"model": MODEL, **(config or {})}}
    return house.call("POST", "/api/resources", {**body, **fields}, user=user)


def test_a_resource_is_created_and_read_by_its_owner(furnished: House) -> None:
    fields = {"description": "Three lines.", "category": "fun", "visibility": "unlisted"}
    created = create(furnished, config={"temperature": 0.5, "max_tokens": 200}, **fields)
    assert created.status == 201
    resource = created.json
    assert resource["resource_id"].startswith("res_")
    assert len(resource["resource_id"]) == 30
    assert {name: resource[name] for name in fields} == fields
    assert (resource["name"], resource["slug"], resource["revision"]) == ("Haiku", "haiku", 1)
    assert resource["config"] == {"model": MODEL, "temperature": 0.5, "max_tokens": 200}
    assert resource["ai_model_id"] == MODEL
    handle, slug = resource["address"].split("/")
    assert (len(handle), handle[0], slug) == (13, "u", "haiku")
    assert resource["created_at"] == resource["updated_at"]

    detail = furnished.call("GET", f"/api/resources/{resource['resource_id']}").json
    assert {name: detail[name] for name in resource} == resource
    assert (detail["model"]["openrouter_id"], detail["model"]["display_name"]) == (MODEL, "Meadow: Lark")
    assert detail["model"]["tool_calling_supported"] is True
    assert set(detail["inputs_schema"]["properties"]) == {"prompt", "images"}
    counts = ("call_count", "success_count_30d", "failure_count_30d")
    assert [detail["stats"][name] for name in counts] == [0, 0, 0]
    assert (detail["stats"]["cost_usd_30d"], detail["stats"]["last_called_at"]) == ("0", None)


def test_what_is_left_out_is_private_and_empty(furnished: House) -> None:
    resource = create(furnished).json
    assert (resource["visibility"], resource["description"], resource["category"]) == ("private", None, None)
    assert resource["config"] == {"model": MODEL}


def test_calls_show_in_the_statistics(furnished: House) -> None:
    resource = create(furnished).json
    assert furnished.execute(resource["resource_id"]).status == 200
    assert furnished.execute(resource["resource_id"], "[[fake: error 400]]").status == 502
    stats = furnished.call("GET", f"/api/resources/{resource['resource_id']}").json["stats"]
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
def test_a_slug_is_made_of_the_name(furnished: House, name: str, slug: str) -> None:
    assert create(furnished, name=name).json["slug"] == slug


def test_a_chosen_slug_is_kept_and_a_taken_one_is_refused(furnished: House) -> None:
    assert create(furnished, slug="my-own-2").json["slug"] == "my-own-2"
    before = furnished.table("RESOURCES_TABLE")
    again = create(furnished, slug="my-own-2")
    assert (again.status, again.code, again.json["error"]["retryable"]) == (409, "address_taken", False)
    assert "my-own-2" in again.json["error"]["message"]
    assert furnished.table("RESOURCES_TABLE") == before


def test_a_made_slug_gives_way(furnished: House) -> None:
    slugs = [create(furnished, name="Haiku " * 8).json["slug"] for _ in range(3)]
    assert slugs[0] == ("haiku-" * 8)[:-1]
    assert len(set(slugs)) == 3
    assert all(slug.startswith("haiku-haiku-") and len(slug) <= 48 for slug in slugs)


def test_the_same_slug_may_belong_to_two_owners(furnished: House) -> None:
    first, second = create(furnished, slug="mine").json, create(furnished, slug="mine", user="bob").json
    assert first["slug"] == second["slug"]
    assert first["address"] != second["address"]


@pytest.mark.parametrize("slug", ["", "Haiku", "-a", "a-", "a--b", "a b", "a/b", "ä", "a\n", "a" * 49, 7, ["a"]])
def test_a_bad_slug_is_named(furnished: House, slug: Any) -> None:
    answer = create(furnished, slug=slug)
    assert (answer.status, answer.json["error"]["details"]["field"]) == (422, "slug")
    assert furnished.table("RESOURCES_TABLE") == []


def test_an_address_is_a_second_row_that_leads_to_the_resource(furnished: House) -> None:
    resource = create(furnished).json
    rows = {row["resource_id"]["S"]: row for row in furnished.table("RESOURCES_TABLE")}
    address = f"addr#{resource['address']}"
    assert set(rows) == {resource["resource_id"], address}
    assert rows[address]["target"]["S"] == resource["resource_id"]
    body = {"resource": resource["address"], "inputs": {"prompt": "hello"}}
    assert furnished.call("POST", "/api/execute", body).status == 200
    assert furnished.call("GET", f"/api/resources/addr%23{resource['address'].replace('/', '%2F')}").status == 404


def test_no_body_and_no_header_can_name_the_owner(furnished: House) -> None:
    answer = create(furnished, owner_id="user_bob")
    assert (answer.status, answer.json["error"]["details"]["field"]) == (422, "owner_id")
    body = {"resource_type": "openrouter_instant", "name": "Haiku", "config": {"model": MODEL}}
    headers = {"X-User-Id": "user_bob", "user_id": "user_bob"}
    assert furnished.call("POST", "/api/resources", body, headers=headers).status == 201
    owners = {row["owner_id"]["S"] for row in furnished.table("RESOURCES_TABLE") if "owner_id" in row}
    assert owners == {"user_alice"}


def test_a_resource_needs_a_type_that_we_know(furnished: House) -> None:
    answer = create(furnished, resource_type="telepathy")
    assert (answer.status, answer.json["error"]["details"]["field"]) == (422, "resource_type")
    assert "openrouter_instant" in answer.json["error"]["message"]
