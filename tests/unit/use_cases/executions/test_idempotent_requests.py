"""Fingerprints of requests: those that earlier versions stored stay valid."""

from typing import Any

from instant.use_cases.executions.prepare import ExecuteRequest

REQUEST: dict[str, Any] = {"resource_id": "res_1", "inputs": {"prompt": "Hi."}, "idempotency_key": "order-1"}
FINGERPRINT = "39f7dfb24a703337c6e57109212c581cce454ee1702ad855bd4d100ab12669a3"
"""The fingerprint of `REQUEST` as the first release computed it."""


def fingerprint(**more: Any) -> str:
    """Return the fingerprint of the request with other fields."""
    request = ExecuteRequest(**{**REQUEST, **more}).idempotent("user_alice")
    assert request is not None
    return request.fingerprint


def test_fingerprint_is_that_of_the_first_release() -> None:
    assert fingerprint() == FINGERPRINT


def test_fingerprint_of_a_compatible_request_differs() -> None:
    assert fingerprint(compatible=True) != FINGERPRINT
    assert fingerprint(compatible=False) == FINGERPRINT
