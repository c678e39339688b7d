"""Strangers: a private resource does not exist for them, a public one shows no settings and cannot be changed."""

from typing import Any

import pytest

from tests.integration.house import Answer, House

MISSING = "res_00000000000000000000000000"
SECRET = "never tell them about the harbour"
PATCH = {"name": "Mine now"}


def _as_bob(house: House, method: str, resource_id: str, **more: Any) -> Answer:
    if method == "EXECUTE":
        return house.execute(resource_id, user="bob")
    return house.call(method, f"/api/resources/{resource_id}", PATCH if method == "PATCH" else None, user="bob", **more)


def _hidden(house: House, visibility: str) -> str:
    resource = house.resource(visibility=visibility, config={"system_prompt": SECRET})
    return str(resource["resource_id"])


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE", "EXECUTE"])
def test_a_foreign_private_resource_answers_exactly_as_a_missing_one(furnished: House, method: str) -> None:
    resource_id = _hidden(furnished, "private")
    furnished.connect("bob")
    before = furnished.table("RESOURCES_TABLE")
    missing, foreign = _as_bob(furnished, method, MISSING), _as_bob(furnished, method, resource_id)
    assert (foreign.status, foreign.code) == (404, "not_found")
    assert foreign == missing
    assert furnished.table("RESOURCES_TABLE") == before
    assert furnished.fake.chat_requests == []


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
@pytest.mark.parametrize("visibility", ["public", "unlisted"])
def test_a_foreign_visible_resource_cannot_be_changed(furnished: House, method: str, visibility: str) -> None:
    resource_id = _hidden(furnished, visibility)
    before = furnished.table("RESOURCES_TABLE")
    missing = _as_bob(furnished, method, MISSING)
    for revision in ("1", "2"):
        assert _as_bob(furnished, method, resource_id, headers={"If-Match": f'"{revision}"'}) == missing
    assert _as_bob(furnished, method, resource_id) == missing
    assert missing.status == 404
    assert furnished.table("RESOURCES_TABLE") == before


@pytest.mark.parametrize("visibility", ["public", "unlisted"])
def test_a_visible_resource_shows_its_model_but_not_its_settings(furnished: House, visibility: str) -> None:
    resource_id = _hidden(furnished, visibility)
    seen = _as_bob(furnished, "GET", resource_id)
    assert seen.status == 200
    assert "config" not in seen.json
    assert SECRET not in seen.text
    assert seen.json["model"]["openrouter_id"] == seen.json["ai_model_id"]
    assert "prompt" in seen.json["inputs_schema"]["properties"]
    assert furnished.call("GET", f"/api/resources/{resource_id}").json["config"]["system_prompt"] == SECRET


def test_public_lists_show_settings_to_nobody(furnished: House) -> None:
    _hidden(furnished, "public")
    for sort in ("newest", "most_used", "success_rate"):
        for user in ("bob", "alice"):
            listed = furnished.call("GET", "/api/resources", query={"listing": "public", "sort": sort}, user=user)
            assert len(listed.json["data"]) == 1
            assert SECRET not in listed.text
            assert "config" not in listed.json["data"][0]
    assert furnished.call("GET", "/api/resources").json["data"][0]["config"]["system_prompt"] == SECRET


def test_a_stranger_runs_a_public_resource_and_never_sees_what_it_is_told(furnished: House) -> None:
    resource_id = _hidden(furnished, "public")
    furnished.connect("bob")
    answer = _as_bob(furnished, "EXECUTE", resource_id)
    assert answer.status == 200
    assert SECRET not in answer.text
    assert SECRET in furnished.fake.chat_requests[0].body.decode()
    refused = furnished.execute(resource_id, "[[fake: error 400]]", user="bob")
    assert (refused.status, SECRET in refused.text) == (502, False)


@pytest.mark.parametrize("scopes", ["execute", "admin", "execute admin", ""])
def test_writes_need_the_scope_manage(furnished: House, scopes: str) -> None:
    resource = furnished.resource()
    path = f"/api/resources/{resource['resource_id']}"
    before = furnished.table("RESOURCES_TABLE")
    body = {"resource_type": "openrouter_instant", "name": "Two", "config": {"model": resource["ai_model_id"]}}
    answers = [
        furnished.call("POST", "/api/resources", body, scopes=scopes),
        furnished.call("PATCH", path, PATCH, scopes=scopes),
        furnished.call("DELETE", path, scopes=scopes),
        furnished.call("DELETE", f"/api/resources/{MISSING}", scopes=scopes),
    ]
    assert {(answer.status, answer.code) for answer in answers} == {(403, "forbidden")}
    assert all("'manage'" in answer.json["error"]["message"] for answer in answers)
    assert furnished.table("RESOURCES_TABLE") == before


def test_reading_needs_no_scope_of_its_own(furnished: House) -> None:
    resource = furnished.resource()
    assert furnished.call("GET", f"/api/resources/{resource['resource_id']}", scopes="execute").status == 200
    assert len(furnished.call("GET", "/api/resources", scopes="execute").json["data"]) == 1
