"""Whatever may have been paid is never 5xx on /v1: clients repeat those by themselves."""

import json

import pytest

from instant.adapters.aws import client as aws
from tests.fakes.openrouter.chat.error_directives import KINDS
from tests.integration.app import Answer, App

CHAT = "/v1/chat/completions"
FAILURES = [
    *(f"error {kind}" for kind in (*KINDS, "524")),
    *(
        "hang-up",
        "not-json",
        "truncated",
        "empty",
        "null-content",
        "200-error",
        "choice-error",
        "midstream-error",
        "huge",
    ),
    *(
        "empty]][[fake: price 0",
        "empty]][[fake: no-cost",
        "empty]][[fake: price 1000000",
        "choice-error]][[fake: price 1",
    ),
]
"""The failures of the fake OpenRouter, as directives."""


def fail(app: App, directive: str, *, stream: bool = False) -> Answer:
    """Request a completion that fails like this."""
    body = {"model": app.resource()["address"], "messages": [{"role": "user", "content": f"[[fake: {directive}]]"}]}
    return app.call("POST", CHAT, {**body, "stream": stream})


def may_have_cost(app: App) -> bool:
    """Return whether the recorded execution may have been charged."""
    (row,) = app.table("EXECUTIONS_TABLE")
    return row["state"]["S"] not in {"DONE", "FAILED"} or row.get("cost_nanousd", {}).get("N") != "0"


def is_safe(answer: Answer, *, was_paid: bool) -> bool:
    """Return whether a client that repeats as official clients do pays once."""
    if answer.status == 200 or not was_paid:
        return True
    return answer.status < 500 and answer.headers.get("x-should-retry") == "false"


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("directive", FAILURES)
def test_failure_that_may_have_cost_is_neither_5xx_nor_repeated(seeded: App, directive: str, stream: bool) -> None:
    answer = fail(seeded, directive, stream=stream)
    assert is_safe(answer, was_paid=may_have_cost(seeded)), (answer.status, answer.headers, answer.text)
    if answer.status >= 500:
        assert answer.headers["x-should-retry"] == str(answer.json["error"]["retryable"]).lower()


@pytest.mark.parametrize(
    ("directive", "expected"),
    [("error 400", False), ("error 503", False), ("choice-error", False), ("empty", True), ("hang-up", True)],
)
def test_possible_cost_is_known(seeded: App, directive: str, expected: bool) -> None:
    fail(seeded, directive)
    assert may_have_cost(seeded) is expected


def test_statuses_of_the_native_api_would_be_repeated(seeded: App) -> None:
    """The test above detects it."""
    body = {"resource_id": seeded.resource()["resource_id"], "inputs": {"prompt": "[[fake: hang-up]]"}}
    answer = seeded.call("POST", "/api/execute", body)
    assert (answer.status, may_have_cost(seeded)) == (504, True)
    assert not is_safe(answer, was_paid=True)


@pytest.mark.parametrize(
    ("directive", "status", "code", "kind"),
    [
        ("error 400 context", 400, "context_length_exceeded", "invalid_request_error"),
        ("error 401 missing", 503, "upstream_unavailable", "api_error"),
        ("error 402", 429, "insufficient_quota", "insufficient_quota"),
        ("error 403 limit", 429, "insufficient_quota", "insufficient_quota"),
        ("error 403 moderation", 400, "moderated", "invalid_request_error"),
        ("error 404 gone", 409, "model_unavailable", "invalid_request_error"),
        ("error 429", 429, "rate_limited", "rate_limit_error"),
        ("error 503", 503, "upstream_unavailable", "api_error"),
        ("error 524", 409, "outcome_unknown", "api_error"),
        ("hang-up", 409, "outcome_unknown", "api_error"),
    ],
)
def test_failures_have_the_statuses_of_openai(seeded: App, directive: str, status: int, code: str, kind: str) -> None:
    answer = fail(seeded, directive)
    error = answer.json["error"]
    assert (answer.status, error["code"], error["type"]) == (status, code, kind)
    assert error["execution_id"] == answer.headers["x-execution-id"]


def test_answer_that_cannot_be_written_is_not_repeated(seeded: App) -> None:
    """Our own mistake after a call that was charged."""
    body = {"model": seeded.resource()["address"], "messages": [{"role": "user", "content": "Say hello."}]}
    key = {"Idempotency-Key": "order-1"}
    first = seeded.call("POST", CHAT, body, headers=key)
    (row,) = seeded.table("EXECUTIONS_TABLE")
    stored = json.loads(row["answer"]["S"])
    del stored["usage"]
    row["answer"] = {"S": json.dumps(stored)}
    aws.client("dynamodb").put_item(TableName=seeded.name("EXECUTIONS_TABLE"), Item=row)
    for stream in (False, True):
        repeat = seeded.call("POST", CHAT, {**body, "stream_options": {"include_usage": stream}}, headers=key)
        assert (repeat.status, repeat.code, repeat.headers["x-should-retry"]) == (409, "internal", "false")
        assert repeat.headers["x-execution-id"] == first.json["id"]
