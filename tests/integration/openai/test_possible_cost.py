"""A failure says whether the call may have been charged, when it happens and when it is replayed."""

import json

import pytest

from instant.adapters.aws import client as aws
from instant.domain.access.identity import Identity, Scope
from instant.domain.errors import InstantError
from instant.use_cases.executions.execute import execute
from instant.use_cases.executions.prepare import ExecuteRequest
from tests.integration.app import App

ALICE = Identity("user_alice", frozenset({Scope.EXECUTE}))


def failure(app: App, resource_id: str, prompt: str, key: str | None = None) -> InstantError:
    """Execute a prompt that fails and return the error."""
    request = ExecuteRequest(resource_id=resource_id, inputs={"prompt": prompt}, idempotency_key=key)
    with pytest.raises(InstantError) as caught:
        execute(request, ALICE, lambda: 30.0, app.module("ExecuteFunction").deps)
    return caught.value


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("[[fake: error 400]]", False),
        ("[[fake: error 402]]", False),
        ("[[fake: error 429 17]]", False),
        ("[[fake: error 503]]", False),
        ("[[fake: empty]][[fake: price 0]]", False),
        ("[[fake: empty]]", True),
        ("[[fake: empty]][[fake: no-cost]]", True),
        ("[[fake: empty]][[fake: price 1000000]]", True),
        ("[[fake: choice-error]]", False),
        ("[[fake: hang-up]]", True),
        ("[[fake: not-json]]", True),
        ("[[fake: error 524]]", True),
    ],
)
def test_failure_says_whether_the_call_may_have_been_charged(seeded: App, prompt: str, expected: bool) -> None:
    resource_id = seeded.resource()["resource_id"]
    error = failure(seeded, resource_id, prompt)
    assert (error.may_have_cost, error.is_replayed) == (expected, False), error.body()
    first, repeat = (failure(seeded, resource_id, prompt, "order-1") for _ in range(2))
    assert (first.may_have_cost, first.is_replayed) == (expected, False)
    assert (repeat.may_have_cost, repeat.is_replayed) == (expected, True), repeat.body()


def test_rejection_before_anything_is_sent_costs_nothing(seeded: App) -> None:
    error = failure(seeded, seeded.resource()["resource_id"], "")
    assert (error.code, error.may_have_cost, error.is_replayed) == ("invalid_field", False, False)


def test_error_that_an_earlier_version_stored_is_returned_in_the_present_shape(seeded: App) -> None:
    """Version 0.1 stored neither `type` nor `param`."""
    body = {"resource_id": seeded.resource()["resource_id"], "inputs": {"prompt": "[[fake: error 422]]"}}
    first = seeded.call("POST", "/api/execute", body, headers={"Idempotency-Key": "order-1"})
    (row,) = seeded.table("EXECUTIONS_TABLE")
    stored = json.loads(row["answer"]["S"])
    del stored["error"]["type"], stored["error"]["param"]
    row["answer"] = {"S": json.dumps(stored)}
    aws.client("dynamodb").put_item(TableName=seeded.name("EXECUTIONS_TABLE"), Item=row)
    assert seeded.call("POST", "/api/execute", body, headers={"Idempotency-Key": "order-1"}).json == first.json
    read = seeded.call("GET", f"/api/executions/{first.json['error']['execution_id']}")
    assert read.json["error"] == first.json["error"]
