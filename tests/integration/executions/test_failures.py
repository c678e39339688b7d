"""Failures after the call was sent: each returns one error, is recorded with its status, and leaks no secret."""

import json
from dataclasses import dataclass

import pytest

from instant.domain.executions.counted import counts
from tests.fakes.aws_faults import failure, faults
from tests.integration.app import GOOD_KEY, Answer, App
from tests.integration.deadlines import little_time


@dataclass(frozen=True)
class Case:
    """The upstream behaviour and the expected result; `cost` None means unknown."""

    directive: str
    status: int
    code: str
    state: str = "FAILED"
    cost: int | None = 0
    retryable: bool = False
    is_counted: bool | None = None
    """Whether it is a failure of the resource, where the code alone does not tell."""


CASES = [
    Case("error 400", 502, "upstream_error"),
    Case("error 400 context", 413, "too_large"),
    Case("error 401", 503, "upstream_unavailable", retryable=True, is_counted=False),
    Case("error 401 missing", 503, "upstream_unavailable", retryable=True, is_counted=False),
    Case("error 402", 409, "credits_exhausted"),
    Case("error 403 moderation", 422, "moderated"),
    Case("error 403 limit", 409, "credits_exhausted"),
    Case("error 403 region", 502, "upstream_error"),
    Case("error 403 guardrail", 422, "moderated"),
    Case("error 404", 409, "model_unavailable"),
    Case("error 404 data-policy", 409, "model_unavailable", is_counted=False),
    Case("error 404 batch", 409, "model_unavailable"),
    Case("error 408", 504, "outcome_unknown", "UNKNOWN", None),
    Case("error 413", 413, "too_large"),
    Case("error 422", 502, "upstream_error"),
    Case("error 429", 429, "rate_limited", retryable=True, is_counted=True),
    Case("error 429 daily", 429, "rate_limited", retryable=True),
    Case("error 500", 502, "upstream_error"),
    Case("error 502", 502, "upstream_error"),
    Case("error 503", 503, "upstream_unavailable", retryable=True),
    Case("error 524", 504, "outcome_unknown", "UNKNOWN", None),
    Case("error 529", 503, "upstream_unavailable", retryable=True),
    Case("200-error", 502, "upstream_error"),
    Case("choice-error", 502, "upstream_error"),
    Case("not-json", 502, "upstream_error", "UNKNOWN", None),
    Case("cut-json", 502, "upstream_error", "UNKNOWN", None),
    Case("truncated", 504, "outcome_unknown", "UNKNOWN", None),
    Case("hang-up", 504, "outcome_unknown", "UNKNOWN", None),
    Case("reset", 504, "outcome_unknown", "UNKNOWN", None),
    Case("huge", 413, "too_large", "UNKNOWN", None, is_counted=True),
    Case("gzip", 502, "upstream_error", "UNKNOWN", None),
]

DEADLINE_CASES = [
    Case("drip", 504, "deadline_exceeded", "UNKNOWN", None),
    Case("drip-headers", 504, "deadline_exceeded", "UNKNOWN", None),
    Case("slow 60", 504, "deadline_exceeded", "UNKNOWN", None),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.directive)
def test_failure_is_returned_and_recorded_without_leaking_secrets(seeded: App, case: Case) -> None:
    resource = seeded.resource()
    answer = seeded.execute(resource["resource_id"], f"[[fake: {case.directive}]] secret prompt")
    _assert_error(answer, case)
    _assert_recorded(seeded, answer, case)
    _assert_no_secrets(seeded, answer)


@pytest.mark.parametrize("case", DEADLINE_CASES, ids=lambda case: case.directive)
def test_endless_answer_is_aborted_at_the_deadline(seeded: App, case: Case) -> None:
    resource = seeded.resource()
    with little_time(seeded, "ExecuteFunction", 8.5):
        answer = seeded.execute(resource["resource_id"], f"[[fake: {case.directive}]] secret prompt")
    _assert_error(answer, case)
    _assert_recorded(seeded, answer, case)


@pytest.mark.parametrize("directive", ["empty", "null-content", "reasoning-only"])
def test_empty_answer_fails_and_its_cost_is_recorded(seeded: App, directive: str) -> None:
    resource = seeded.resource()
    answer = seeded.execute(resource["resource_id"], f"[[fake: {directive}]] [[fake: price 0.000002]]")
    _assert_error(answer, Case(directive, 502, "empty_answer"))
    (row,) = seeded.table("EXECUTIONS_TABLE")
    assert (row["state"], row["cost_nanousd"]) == ({"S": "FAILED"}, {"N": "2000"})


def test_filtered_answer_returns_moderated(seeded: App) -> None:
    resource = seeded.resource()
    answer = seeded.execute(resource["resource_id"], "[[fake: content-filter]]")
    assert (answer.status, answer.code) == (422, "moderated")


def test_rate_limit_returns_retry_after(seeded: App) -> None:
    resource = seeded.resource()
    answer = seeded.execute(resource["resource_id"], "[[fake: error 429 17]]")
    assert answer.headers["Retry-After"] == "17"


def test_rate_limit_with_a_distant_date_returns_a_day(seeded: App) -> None:
    resource = seeded.resource()
    headers = {"Retry-After": "Fri, 31 Dec 2100 12:00:00 GMT"}
    seeded.fake.script(429, b'{"error":{"code":429,"message":"Rate limit exceeded"}}', headers)
    answer = seeded.execute(resource["resource_id"])
    assert (answer.headers["Retry-After"], answer.json["error"]["details"]) == ("86400", {"limit": "openrouter"})


def test_rate_limit_with_a_short_wait_in_the_body_is_retried(seeded: App) -> None:
    resource = seeded.resource()
    error = {"code": 429, "message": "Provider returned error", "metadata": {"retry_after_seconds": 1.5}}
    seeded.fake.script(429, json.dumps({"error": error}).encode())
    assert seeded.execute(resource["resource_id"]).status == 200
    assert len(seeded.fake.chat_requests) == 2


@pytest.mark.parametrize(
    ("raw", "status", "code", "details"),
    [
        ("prompt is too long: 215000 tokens > 200000 maximum", 413, "too_large", {"limit": "context_length"}),
        ("Could not process image", 422, "invalid_field", {"field": "inputs"}),
        ("content management policy", 422, "moderated", None),
    ],
)
def test_refusal_of_a_provider_is_returned_and_read_again(
    seeded: App, raw: str, status: int, code: str, details: dict[str, str] | None
) -> None:
    resource = seeded.resource()
    metadata = {"raw": json.dumps({"error": {"message": raw}}), "provider_name": "Meadow"}
    error = {"code": 400, "message": "Provider returned error", "metadata": metadata}
    seeded.fake.script(400, json.dumps({"error": error, "user_id": "user_MASKED"}).encode())
    answer = seeded.execute(resource["resource_id"])
    _assert_error(answer, Case("", status, code))
    assert answer.json["error"].get("details") == details
    assert raw not in answer.text
    detail = seeded.call("GET", f"/api/executions/{answer.json['error']['execution_id']}").json
    assert detail["error"] == answer.json["error"]


def test_refused_connection_costs_nothing_and_is_retryable(seeded: App) -> None:
    resource = seeded.resource()
    seeded.fake.stop()
    answer = seeded.execute(resource["resource_id"])
    _assert_error(answer, Case("", 503, "upstream_unavailable", retryable=True))
    _assert_recorded(seeded, answer, Case("", 503, "upstream_unavailable"))


def test_rejected_key_is_not_used_until_it_is_tested(seeded: App) -> None:
    resource = seeded.resource()
    seeded.fake.revoked_keys.add(GOOD_KEY)
    assert seeded.execute(resource["resource_id"]).code == "credential_rejected"
    asked = len(seeded.fake.chat_requests)
    assert seeded.execute(resource["resource_id"]).code == "credential_rejected"
    assert len(seeded.fake.chat_requests) == asked
    assert seeded.call("GET", "/api/user/integrations/openrouter").json["status"] == "broken"

    seeded.fake.revoked_keys.clear()
    assert seeded.call("POST", "/api/user/integrations/openrouter/test").json["status"] == "ok"
    assert seeded.execute(resource["resource_id"]).status == 200


def test_rejected_key_is_recorded_if_its_status_write_fails(seeded: App, caplog: pytest.LogCaptureFixture) -> None:
    resource = seeded.resource()
    seeded.fake.revoked_keys.add(GOOD_KEY)
    integrations = seeded.name("INTEGRATIONS_TABLE")
    with faults("UpdateItem", failure("AccessDeniedException"), where=integrations) as writes:
        answer = seeded.execute(resource["resource_id"])
    assert len(writes.bodies) == 1
    _assert_error(answer, Case("", 409, "credential_rejected"))
    _assert_recorded(seeded, answer, Case("", 409, "credential_rejected"))
    assert "the status of a rejected key was not stored" in caplog.text
    assert seeded.call("GET", "/api/user/integrations/openrouter").json["status"] == "ok"


@pytest.mark.parametrize(
    "directive",
    ["error 400", "error 401", "error 402", "error 408", "error 429 17", "error 429 daily", "error 500", "error 502",
     "error 524", "error 524 json", "200-error", "choice-error", "not-json", "truncated", "hang-up", "reset", "empty"],
)  # fmt: skip
def test_call_that_may_have_executed_is_not_retried(seeded: App, directive: str) -> None:
    resource = seeded.resource()
    seeded.execute(resource["resource_id"], f"[[fake: {directive}]]")
    assert len(seeded.fake.chat_requests) == 1


@pytest.mark.parametrize("directive", ["error 429", "error 503", "error 529"])
def test_call_that_did_not_execute_is_retried_at_most_twice(seeded: App, directive: str) -> None:
    resource = seeded.resource()
    answer = seeded.execute(resource["resource_id"], f"[[fake: {directive}]]")
    assert len(seeded.fake.chat_requests) == 3
    _assert_recorded(seeded, answer, Case("", answer.status, answer.code, is_counted=True))


def test_success_on_retry_is_one_execution(seeded: App) -> None:
    resource = seeded.resource()
    seeded.fake.answer_next("error 503")
    answer = seeded.execute(resource["resource_id"])
    assert answer.status == 200, answer.text
    assert len(seeded.fake.chat_requests) == 2
    (row,) = seeded.table("EXECUTIONS_TABLE")
    assert row["state"] == {"S": "DONE"}


def test_failure_is_read_as_it_was_returned(seeded: App) -> None:
    resource = seeded.resource()
    error = seeded.execute(resource["resource_id"], "[[fake: error 500]]").json["error"]
    detail = seeded.call("GET", f"/api/executions/{error['execution_id']}").json
    assert detail["error"] == error
    assert (detail["status"], detail["error_code"], detail["output"]) == ("FAILED", "upstream_error", None)


def _assert_error(answer: Answer, case: Case) -> None:
    error = answer.json["error"]
    assert (answer.status, error["code"], error["retryable"]) == (case.status, case.code, case.retryable), answer.text
    assert error["message"].endswith(".")
    assert error["execution_id"].startswith("exe_")


def _assert_recorded(app: App, answer: Answer, case: Case) -> None:
    (row,) = app.table("EXECUTIONS_TABLE")
    assert row["execution_id"]["S"] == answer.json["error"]["execution_id"]
    assert (row["state"]["S"], row["error_code"]["S"]) == (case.state, case.code)
    cost = row.get("cost_nanousd")
    assert (cost and int(cost["N"])) == case.cost
    failures = sum(int(bucket["failures"]["N"]) for bucket in app.table("RESOURCE_STATS_TABLE"))
    is_counted = counts(case.code) if case.is_counted is None else case.is_counted
    assert failures == (2 if case.state == "FAILED" and is_counted else 0)  # the buckets of the day and of the total


def _assert_no_secrets(app: App, answer: Answer) -> None:
    """Assert that no key, prompt, upstream text, account id or trace is returned or stored."""
    stored = json.dumps(app.table("EXECUTIONS_TABLE"))
    for forbidden in (GOOD_KEY, "secret prompt", "user_MASKED", "Traceback", "Provider returned", "org_", "<html"):
        assert forbidden not in answer.text
        assert forbidden not in stored
