"""The set of errors is closed: fixed codes and statuses, in one shape."""

import pytest

from instant.domain.errors import Conflict, InstantError, InvalidField, NotFound, RateLimited, every_error
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
    expected = {"code": kind.code, "message": "Do this next.", "retryable": kind.retryable}
    assert error.body() == {"error": expected}
    assert error.during("exe_1").body() == {"error": {**expected, "execution_id": "exe_1"}}


def test_errors_body_does_not_include_recorded_details() -> None:
    error = Failure(RateLimited("Wait.", retry_after=7), receipt=Receipt(cost_nanousd=9), effect=Effect.UNKNOWN).error
    assert (error.retry_after, error.headers) == (7, {"Retry-After": "7"})
    assert error.body() == {"error": {"code": "rate_limited", "message": "Wait.", "retryable": True}}


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
