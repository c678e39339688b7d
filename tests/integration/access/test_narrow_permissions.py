"""Permissions for some rows or attributes only: the template's conditions, evaluated by the local stack."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from instant.adapters.access.integrations import DynamoIntegrationStore
from instant.adapters.executions.cancellations import DynamoCancellations
from tests.integration.app import App
from tests.integration.aws_calls import recorded
from tests.integration.lent_app import lend_app
from tests.local.api.server import Request
from tests.local.aws.actions import read_call
from tests.local.aws.permissions import Permissions


@pytest.fixture(scope="module")
def shared() -> Iterator[App]:
    with lend_app() as app:
        yield app


def may(app: App, function: str, operation: str, parameters: dict[str, Any]) -> bool:
    """Return whether the function's policy allows the call."""
    target = [("X-Amz-Target", f"DynamoDB_20120810.{operation}")]
    call = read_call(Request("POST", "/", target, json.dumps(parameters).encode()))
    return Permissions({"F": app.plan.functions[function].statements}).denial("F", call) is None


@pytest.mark.parametrize(
    ("function", "operation"), [("CatalogFunction", "GetItem"), ("CatalogSyncFunction", "UpdateItem")]
)
def test_catalog_function_may_access_only_its_rate_limit_record(shared: App, function: str, operation: str) -> None:
    change = {"UpdateExpression": "SET holder = :one"} if operation == "UpdateItem" else {}
    for name, allowed in (
        ("catalog#sync", True),
        ("catalog#runs", True),
        ("catalog#sync2", False),
        ("runs#user_alice", False),
    ):
        row = {"TableName": shared.name("LIMITS_TABLE"), "Key": {"name": {"S": name}}, **change}
        assert may(shared, function, operation, row) is allowed


@pytest.mark.parametrize("function", ["ExecuteFunction", "IntegrationTestFunction"])
@pytest.mark.parametrize("name", ["ciphertext", "is_enabled", "max_cost_per_call_nanousd", "key_hint", "label"])
def test_functions_that_use_a_key_cannot_change_it(shared: App, function: str, name: str) -> None:
    row = {
        "TableName": shared.name("INTEGRATIONS_TABLE"),
        "Key": {"user_id": {"S": "user_alice"}, "service": {"S": "openrouter"}},
    }
    assert may(shared, function, "UpdateItem", {**row, "UpdateExpression": "SET last_verified_at = :one"})
    assert not may(shared, function, "UpdateItem", {**row, "UpdateExpression": f"SET {name} = :one"})
    assert not may(shared, function, "UpdateItem", {**row, "UpdateExpression": f"REMOVE last_verified_at, {name}"})


@pytest.mark.parametrize("name", ["cost_nanousd", "answer", "due_at", "run_id", "lease_expires_at", "api_key_id"])
def test_function_that_cancels_executions_cannot_change_them(shared: App, name: str) -> None:
    cancellations = DynamoCancellations(shared.name("EXECUTIONS_TABLE"))
    with recorded("dynamodb") as calls:
        assert not cancellations.request("exe_1", "user_alice", "2026-01-01T00:00:00.000000Z")
    (call,) = calls
    assert may(shared, "ExecutionsFunction", "UpdateItem", call.parameters)
    changed = {**call.parameters, "UpdateExpression": f"SET cancel_requested_at = :now, {name} = :now"}
    assert not may(shared, "ExecutionsFunction", "UpdateItem", changed)
    others = {"TableName": call.parameters["TableName"], "Key": call.parameters["Key"]}
    assert not may(shared, "ExecutionsFunction", "DeleteItem", others)


@pytest.mark.parametrize("function", ["ExecuteFunction", "IntegrationTestFunction"])
@pytest.mark.parametrize("remaining", ["1.5", None])
def test_key_status_updates_are_permitted(shared: App, function: str, remaining: str | None) -> None:
    assert shared.connect().status == 201
    store = DynamoIntegrationStore(shared.name("INTEGRATIONS_TABLE"))
    found = store.get("user_alice", "openrouter")
    assert found
    with recorded("dynamodb") as calls:
        store.set(replace(found, limit_remaining=remaining, lacks_credits=True, times_refused=2))
        store.claim_check(found, replace(found, next_check_at="2026-01-01T00:00:00.000000Z"))
    updates = [call for call in calls if call.operation == "UpdateItem"]
    assert [may(shared, function, "UpdateItem", update.parameters) for update in updates] == [True, True]
