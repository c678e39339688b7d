"""Errors on /v1: statuses from which official clients raise the right class and repeat only what costs nothing."""

import json

import pytest

from instant.domain.error_bodies.classes import every_error
from instant.domain.errors import (
    BudgetExhausted,
    CostCap,
    EmptyAnswer,
    InProgress,
    InstantError,
    Internal,
    InvalidField,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    TooLarge,
    UpstreamUnavailable,
)
from instant.entrypoints.openai.errors import CLASSES, openai_body, openai_response

TABLE = {
    "malformed": (400, "malformed", False),
    "unauthenticated": (401, "unauthenticated", False),
    "forbidden": (403, "forbidden", False),
    "not_found": (404, "model_not_found", False),
    "address_taken": (409, "address_taken", False),
    "revision_conflict": (409, "revision_conflict", False),
    "limit_reached": (409, "limit_reached", False),
    "model_unavailable": (409, "model_unavailable", False),
    "credential_missing": (409, "credential_missing", False),
    "credential_disabled": (409, "credential_disabled", False),
    "credential_rejected": (409, "credential_rejected", False),
    "credits_exhausted": (429, "insufficient_quota", False),
    "cost_cap": (429, "insufficient_quota", False),
    "cancelled": (409, "cancelled", False),
    "in_progress": (409, "in_progress", True),
    "not_cancellable": (409, "not_cancellable", False),
    "too_large": (413, "too_large", False),
    "unsupported_media_type": (415, "unsupported_media_type", False),
    "invalid_field": (400, "invalid_field", False),
    "idempotency_mismatch": (422, "idempotency_mismatch", False),
    "moderated": (400, "moderated", False),
    "rate_limited": (429, "rate_limited", True),
    "budget_exhausted": (429, "insufficient_quota", True),
    "internal": (500, "internal", False),
    "upstream_error": (502, "upstream_error", False),
    "empty_answer": (502, "empty_answer", False),
    "upstream_unavailable": (503, "upstream_unavailable", True),
    "limits_unavailable": (503, "limits_unavailable", True),
    "deadline_exceeded": (504, "deadline_exceeded", False),
    "outcome_unknown": (504, "outcome_unknown", False),
}
"""Status, code and `x-should-retry` of each error that cost nothing."""


def shown(error: InstantError) -> tuple[int, str, bool]:
    """Return the status, the code and whether the client is told to repeat."""
    response = openai_response(error)
    body = json.loads(response.body or "")
    return response.status_code, body["error"]["code"], json.loads(str(response.headers["x-should-retry"]))


def test_openai_errors_have_these_statuses() -> None:
    assert {kind.code: shown(kind("Do this next.")) for kind in every_error()} == TABLE
    assert {status for status, _, _ in TABLE.values()} <= CLASSES.keys()


@pytest.mark.parametrize("kind", list(every_error()))
@pytest.mark.parametrize("flag", ["may_have_cost", "is_replayed"])
def test_openai_errors_of_paid_or_replayed_calls_are_not_repeated(kind: type[InstantError], flag: str) -> None:
    """OpenRouter's client repeats every 5xx, OpenAI's obey the header."""
    error = kind("Do this next.")
    setattr(error, flag, True)
    status, code, is_repeated = shown(error)
    assert (code, is_repeated) == (TABLE[kind.code][1], False)
    assert status == (409 if TABLE[kind.code][0] >= 500 else TABLE[kind.code][0])


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OutcomeUnknown("Look."), "api_error"),
        (EmptyAnswer("Nothing."), "api_error"),
        (Internal("Something."), "api_error"),
    ],
)
def test_openai_errors_keep_their_code_when_the_status_changes(error: InstantError, expected: str) -> None:
    error.may_have_cost = True
    body = json.loads(openai_response(error.during("exe_1")).body or "")["error"]
    assert (body["code"], body["type"], body["execution_id"]) == (error.code, expected, "exe_1")


def test_openai_errors_name_the_execution_in_a_header() -> None:
    headers = openai_response(OutcomeUnknown("Look.").during("exe_1")).headers
    assert headers["x-execution-id"] == headers["x-request-id"] == "exe_1"
    assert "x-execution-id" not in openai_response(NotFound("Look.")).headers


def test_openai_errors_keep_retry_after() -> None:
    assert openai_response(InProgress("Wait.", retry_after=7)).headers["Retry-After"] == "7"


@pytest.mark.parametrize(("wait", "is_repeated"), [(None, True), (60, True), (61, False), (40_000, False)])
def test_openai_errors_with_a_long_wait_are_not_repeated(wait: int | None, is_repeated: bool) -> None:
    assert shown(BudgetExhausted("Wait.", retry_after=wait))[2] is is_repeated
    assert shown(RateLimited("Wait.", retry_after=wait))[2] is is_repeated
    assert shown(UpstreamUnavailable("Wait.", retry_after=wait))[2] is is_repeated


def test_openai_errors_of_a_prompt_that_is_too_long_have_openais_code() -> None:
    error = TooLarge("Shorten it.", details={"limit": "context_length"})
    assert shown(error) == (400, "context_length_exceeded", False)
    assert json.loads(openai_response(error).body or "")["error"]["details"] == {
        "limit": "context_length",
        "code": "too_large",
    }


def test_openai_errors_of_quota_keep_our_code_in_details() -> None:
    body = json.loads(openai_response(CostCap("Raise it.", details={"most": "1"})).body or "")["error"]
    assert body == {
        "code": "insufficient_quota",
        "message": "Raise it.",
        "type": "insufficient_quota",
        "param": None,
        "retryable": False,
        "details": {"most": "1", "code": "cost_cap"},
    }


def test_openai_errors_of_a_missing_model_name_the_field() -> None:
    body = json.loads(openai_response(NotFound.of("resource")).body or "")["error"]
    assert (body["type"], body["param"]) == ("not_found_error", "model")


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("overrides.temperature", "temperature"),
        ("inputs.messages.0.role", "messages.0.role"),
        ("inputs.messages", "messages"),
        ("inputs.input", "input"),
        ("inputs.encoding_format", "encoding_format"),
        ("inputs.input_text", "inputs.input_text"),
        ("inputs.topic", "inputs.topic"),
        ("n", "n"),
    ],
)
def test_openai_errors_name_fields_as_the_request_does(field: str, expected: str) -> None:
    body = json.loads(openai_response(InvalidField.named(field, "is wrong")).body or "")["error"]
    assert (body["param"], body["details"]) == (expected, {"field": expected})
    assert body["message"] == f"{expected}: is wrong"


def test_error_of_several_settings_names_no_field() -> None:
    error = openai_body(InvalidField.named("overrides", "tool_choice requires tools"))["error"]
    assert (error["message"], error["param"], error["details"]) == (
        "tool_choice requires tools",
        None,
        {"field": "body"},
    )
