"""Calls rejected before anything is sent: upstream gets no request, and the ledger stays empty."""

from typing import Any

import pytest

from tests.integration.app import Answer, App

EXPIRY = {"resource_id", "bucket", "expires_at"}
"""All attributes of the statistics of a deleted resource that was never executed."""


def _assert_rejected(app: App, answer: Answer, status: int, code: str, field: str | None = None) -> None:
    assert (answer.status, answer.code) == (status, code), answer.text
    if field:
        assert answer.json["error"]["details"]["field"] == field
    assert app.fake.chat_requests == []
    assert app.table("EXECUTIONS_TABLE") == []
    assert [row for row in app.table("RESOURCE_STATS_TABLE") if row.keys() - EXPIRY] == []


@pytest.mark.parametrize(
    ("inputs", "field"),
    [
        ({}, "inputs.prompt"),
        ({"prompt": ""}, "inputs.prompt"),
        ({"prompt": "  \n"}, "inputs.prompt"),
        ({"prompt": 7}, "inputs.prompt"),
        ({"prompt": None}, "inputs.prompt"),
        ({"prompt": ["a"]}, "inputs.prompt"),
        ({"prompt": "x" * 200_001}, "inputs.prompt"),
        ({"prompt": "hello", "system": "obey me"}, "inputs.system"),
    ],
)
def test_execute_names_invalid_inputs(seeded: App, inputs: dict[str, Any], field: str) -> None:
    resource = seeded.resource()
    answer = seeded.call("POST", "/api/execute", {"resource_id": resource["resource_id"], "inputs": inputs})
    _assert_rejected(seeded, answer, 422, "invalid_field", field)


@pytest.mark.parametrize(
    "body",
    [
        {"inputs": {"prompt": "hello"}},
        {"resource_id": "res_1", "resource": "u/x", "inputs": {"prompt": "hello"}},
        {"resource_id": "", "inputs": {"prompt": "hello"}},
        {"resource": "no-slash", "inputs": {"prompt": "hello"}},
        {"resource_id": "res_1", "inputs": "hello"},
        {"resource_id": "res_1"},
        {"resource_id": "res_1", "inputs": {}, "key": "mine"},
        {"resource_id": 1, "inputs": {}},
    ],
)
def test_execute_rejects_invalid_bodies(seeded: App, body: dict[str, Any]) -> None:
    _assert_rejected(seeded, seeded.call("POST", "/api/execute", body), 422, "invalid_field")


def test_execute_returns_not_found_for_missing_and_foreign_private_resources(seeded: App) -> None:
    private = seeded.resource()
    seeded.connect("bob")
    foreign = seeded.execute(private["resource_id"], user="bob")
    missing = seeded.execute("res_00000000000000000000000000", user="bob")
    by_address = seeded.call(
        "POST", "/api/execute", {"resource": private["address"], "inputs": {"prompt": "hi"}}, user="bob"
    )
    assert foreign == missing == by_address
    _assert_rejected(seeded, foreign, 404, "not_found")


def test_execute_does_not_treat_an_address_row_as_a_resource(seeded: App) -> None:
    resource = seeded.resource()
    _assert_rejected(seeded, seeded.execute(f"addr#{resource['address']}"), 404, "not_found")


def test_execute_of_a_deleted_resource_returns_not_found(seeded: App) -> None:
    resource = seeded.resource()
    seeded.call("DELETE", f"/api/resources/{resource['resource_id']}")
    _assert_rejected(seeded, seeded.execute(resource["resource_id"]), 404, "not_found")


def test_execute_requires_the_execute_scope(seeded: App) -> None:
    resource = seeded.resource()
    body = {"resource_id": resource["resource_id"], "inputs": {"prompt": "hi"}}
    _assert_rejected(seeded, seeded.call("POST", "/api/execute", body, scopes="manage admin"), 403, "forbidden")


def test_execute_without_a_key_explains_how_to_connect_one(seeded: App) -> None:
    resource = seeded.resource(visibility="public")
    answer = seeded.execute(resource["resource_id"], user="bob")
    _assert_rejected(seeded, answer, 409, "credential_missing")
    assert "POST /api/user/integrations/openrouter" in answer.json["error"]["message"]


def test_execute_does_not_use_a_disabled_key(seeded: App) -> None:
    resource = seeded.resource()
    seeded.execute(resource["resource_id"])  # the function is warm and has the key decrypted
    seeded.call("PATCH", "/api/user/integrations/openrouter", {"is_enabled": False})
    seeded.fake.forget_requests()
    assert seeded.execute(resource["resource_id"]).code == "credential_disabled"
    assert seeded.fake.chat_requests == []


def test_execute_never_uses_a_deleted_or_replaced_key(seeded: App) -> None:
    resource = seeded.resource()
    seeded.execute(resource["resource_id"])
    fresh = "sk-or-v1-" + "f" * 64
    seeded.connect(key=fresh)
    seeded.execute(resource["resource_id"])
    assert seeded.fake.chat_requests[-1].headers["authorization"] == f"Bearer {fresh}"
    seeded.call("DELETE", "/api/user/integrations/openrouter")
    assert seeded.execute(resource["resource_id"]).code == "credential_missing"
    assert len(seeded.fake.chat_requests) == 2


def test_execute_rejects_a_call_over_the_cost_cap(seeded: App) -> None:
    resource = seeded.resource()
    seeded.call("PATCH", "/api/user/integrations/openrouter", {"max_cost_per_call_usd": "0.000000001"})
    answer = seeded.execute(resource["resource_id"])
    _assert_rejected(seeded, answer, 409, "cost_cap")
    assert answer.json["error"]["details"]["max_cost_per_call_usd"] == "0.000000001"


def test_execute_enforces_the_cap_after_an_owner_change(seeded: App) -> None:
    resource = seeded.resource(visibility="public")
    seeded.connect("bob")
    config = {"model": "harbor/lighthouse-pro", "max_tokens": 20_000}
    changed = seeded.call("PATCH", f"/api/resources/{resource['resource_id']}", {"config": config})
    assert changed.status == 200, changed.text
    _assert_rejected(seeded, seeded.execute(resource["resource_id"], user="bob"), 409, "cost_cap")


def test_execute_rejects_a_removed_model_by_name(seeded: App) -> None:
    resource = seeded.resource()
    model = resource["ai_model_id"]
    seeded.retire(model)
    answer = seeded.execute(resource["resource_id"])
    _assert_rejected(seeded, answer, 409, "model_unavailable")
    assert model in answer.json["error"]["message"]


def test_execute_sends_nothing_without_time_left(seeded: App) -> None:
    resource = seeded.resource()
    seeded.seconds = 4
    answer = seeded.execute(resource["resource_id"])
    _assert_rejected(seeded, answer, 503, "upstream_unavailable")
    assert answer.json["error"]["retryable"] is True


def test_execute_rejects_a_key_copied_from_another_user(seeded: App) -> None:
    resource = seeded.resource(visibility="public")
    seeded.connect("bob")
    (row,) = [row for row in seeded.table("INTEGRATIONS_TABLE") if row["user_id"]["S"] == "user_alice"]
    from instant.adapters.aws.client import client

    client("dynamodb").put_item(TableName=seeded.name("INTEGRATIONS_TABLE"), Item={**row, "user_id": {"S": "user_bob"}})
    _assert_rejected(seeded, seeded.execute(resource["resource_id"], user="bob"), 409, "credential_rejected")
