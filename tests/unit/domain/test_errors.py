"""The set of errors is closed: fixed codes and statuses, in one shape."""

import json

import pytest

from instant.domain.error_bodies.classes import every_error
from instant.domain.error_bodies.fields import error_type
from instant.domain.error_bodies.stored import complete_error, stored_error
from instant.domain.errors import Conflict, InstantError, InvalidField, NotFound, RateLimited
from instant.domain.executions.failure import Effect, Failure
from instant.domain.executions.receipt import Receipt

TABLE = {
    "malformed": (400, False),
    "unauthenticated": (401, False),
    "forbidden": (403, False),
    "not_found": (404, False),
    "address_taken": (409, False),
    "revision_conflict": (409, False),
    "limit_reached": (409, False),
    "model_unavailable": (409, False),
    "credential_missing": (409, False),
    "credential_disabled": (409, False),
    "credential_rejected": (409, False),
    "credits_exhausted": (409, False),
    "cost_cap": (409, False),
    "in_progress": (409, True),
    "cancelled": (409, False),
    "not_cancellable": (409, False),
    "idempotency_mismatch": (422, False),
    "budget_exhausted": (429, True),
    "too_large": (413, False),
    "unsupported_media_type": (415, False),
    "invalid_field": (422, False),
    "moderated": (422, False),
    "rate_limited": (429, True),
    "internal": (500, False),
    "upstream_error": (502, False),
    "empty_answer": (502, False),
    "upstream_unavailable": (503, True),
    "limits_unavailable": (503, True),
    "deadline_exceeded": (504, False),
    "outcome_unknown": (504, False),
}


def test_errors_list_is_complete() -> None:
    assert {kind.code: (kind.status, kind.retryable) for kind in every_error()} == TABLE


def test_errors_code_belongs_to_one_error() -> None:
    codes = [kind.code for kind in every_error()]
    assert len(codes) == len(set(codes))


def test_errors_with_a_possible_side_effect_are_never_retryable() -> None:
    retryable = {kind.code for kind in every_error() if kind.retryable and kind.status >= 500}
    assert retryable == {"upstream_unavailable", "limits_unavailable"}


@pytest.mark.parametrize("kind", list(every_error()))
def test_errors_body_has_one_shape(kind: type[InstantError]) -> None:
    error = kind("Do this next.")
    expected = {
        "code": kind.code,
        "message": "Do this next.",
        "type": error_type(kind.code, kind.status),
        "param": None,
        "retryable": kind.retryable,
    }
    assert error.body() == {"error": expected}
    assert error.during("exe_1").body() == {"error": {**expected, "execution_id": "exe_1"}}


def test_errors_body_does_not_include_recorded_details() -> None:
    error = Failure(RateLimited("Wait.", retry_after=7), receipt=Receipt(cost_nanousd=9), effect=Effect.UNKNOWN).error
    assert (error.retry_after, error.headers) == (7, {"Retry-After": "7"})
    assert error.body() == {
        "error": {
            "code": "rate_limited",
            "message": "Wait.",
            "type": "rate_limit_error",
            "param": None,
            "retryable": True,
        }
    }


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        ("malformed", 400, "invalid_request_error"),
        ("unauthenticated", 401, "authentication_error"),
        ("forbidden", 403, "permission_error"),
        ("not_found", 404, "not_found_error"),
        ("in_progress", 409, "invalid_request_error"),
        ("cost_cap", 409, "insufficient_quota"),
        ("credits_exhausted", 409, "insufficient_quota"),
        ("budget_exhausted", 429, "insufficient_quota"),
        ("rate_limited", 429, "rate_limit_error"),
        ("internal", 500, "api_error"),
    ],
)
def test_errors_type_is_that_of_openai(code: str, status: int, expected: str) -> None:
    assert error_type(code, status) == expected


def test_errors_param_is_the_field() -> None:
    error = InvalidField.named("inputs.prompt", "is required")
    assert error.param == "inputs.prompt"
    assert '"param": "inputs.prompt"' in json.dumps(error.body())


STORED = {"code": "upstream_error", "message": "It failed.", "retryable": False, "execution_id": "exe_1"}
"""An error as version 0.1 stored it."""


def test_stored_error_of_an_earlier_version_is_completed() -> None:
    assert complete_error(STORED) == {**STORED, "type": "api_error", "param": None}
    assert stored_error(STORED).body() == {"error": complete_error(STORED)}


def test_stored_error_of_an_unknown_code_keeps_it_when_read() -> None:
    later = {**STORED, "code": "of_a_later_version", "type": "api_error", "param": None}
    assert complete_error(later) == later
    assert stored_error(later).code == "upstream_error"


def test_errors_details_belong_to_one_error_only() -> None:
    details = {"field": "name"}
    error = InvalidField("name: is required", details=details)
    error.details["more"] = ["slug"]
    assert details == {"field": "name"}


def test_errors_for_missing_and_foreign_resources_are_identical() -> None:
    assert NotFound.of("resource").body() == NotFound.of("resource").body()


def test_errors_conflict_is_a_family_without_its_own_code() -> None:
    assert Conflict not in set(every_error())
    assert all(kind.status == 409 for kind in Conflict.__subclasses__())
