"""OpenAI's own clients raise the right class for every kind of error of /v1."""

from typing import Any

import pytest

from tests.e2e.clients.conftest import Sdk, Service

pytestmark = pytest.mark.e2e

DIRECTIVES = {
    "error 400 context": ("BadRequestError", 400, "context_length_exceeded", "invalid_request_error"),
    "error 403 moderation": ("BadRequestError", 400, "moderated", "invalid_request_error"),
    "error 404": ("ConflictError", 409, "model_unavailable", "invalid_request_error"),
    "error 402": ("RateLimitError", 429, "insufficient_quota", "insufficient_quota"),
    "error 429 100": ("RateLimitError", 429, "rate_limited", "rate_limit_error"),
    "error 503 100": ("InternalServerError", 503, "upstream_unavailable", "api_error"),
    "hang-up": ("ConflictError", 409, "outcome_unknown", "api_error"),
    "empty": ("ConflictError", 409, "empty_answer", "api_error"),
}
"""What a client raises for a fault of the upstream: class, status, code and type."""

REFUSED: dict[str, tuple[dict[str, Any], tuple[str, int, str, str, str]]] = {
    "several choices": ({"n": 2}, ("BadRequestError", 400, "invalid_field", "invalid_request_error", "n")),
    "unknown model": (
        {"model": "nobody/nothing"},
        ("NotFoundError", 404, "model_not_found", "not_found_error", "model"),
    ),
    "wrong type": (
        {"temperature": "warm"},
        ("BadRequestError", 400, "invalid_field", "invalid_request_error", "temperature"),
    ),
}
"""What a client raises for a request: its class, status, code, type and param."""


def asked(service: Service, text: str, **more: Any) -> dict[str, Any]:
    return {"model": service.model("chat"), "messages": [{"role": "user", "content": text}], **more}


@pytest.fixture(scope="module")
def facts(sdk: Sdk, service: Service) -> Any:
    """The errors of one run without retries, and those of other keys."""
    calls = {text: ("chat", asked(service, f"Hello [[fake: {text}]]")) for text in DIRECTIVES}
    calls |= {name: ("chat", asked(service, "Hello", **more)) for name, (more, _) in REFUSED.items()}
    named = {"extra_headers": {"Idempotency-Key": f"key-of-{sdk.name}"}}
    calls |= {name: ("chat", asked(service, name, **named)) for name in ("first", "mismatch")}
    found = sdk.run(service.url, service.world.keys["alice"], calls, retries=0)
    reader = service.world.done(201, "alice", "POST", "/api/user/api-keys", {"name": "reader", "scopes": ["read"]})
    for name, key in (("no key", "x4k_live_nobody"), ("no scope", reader["api_key"])):
        found |= sdk.run(service.url, key, {name: ("chat", asked(service, "Hello"))}, retries=0)
    return found


@pytest.mark.parametrize("text", DIRECTIVES)
def test_faults_of_the_upstream_are_raised(facts: Any, text: str) -> None:
    found = facts[text]
    assert (found["raised"], found["status_code"], found["code"], found["type"]) == DIRECTIVES[text]
    assert found["body"]["execution_id"] == found["request_id"]


@pytest.mark.parametrize("name", REFUSED)
def test_refused_requests_are_raised_with_the_field(facts: Any, name: str) -> None:
    found = facts[name]
    seen = (found["raised"], found["status_code"], found["code"], found["type"], found["param"])
    assert seen == REFUSED[name][1]


def test_idempotency_key_of_another_request_is_unprocessable(facts: Any) -> None:
    found = facts["mismatch"]
    seen = (found["raised"], found["status_code"], found["code"])
    assert seen == ("UnprocessableEntityError", 422, "idempotency_mismatch")


def test_token_that_is_not_valid_is_an_authentication_error(facts: Any) -> None:
    found = facts["no key"]
    assert (found["raised"], found["status_code"], found["code"]) == ("AuthenticationError", 401, "unauthenticated")


def test_token_without_the_scope_is_a_permission_error(facts: Any) -> None:
    found = facts["no scope"]
    assert (found["raised"], found["status_code"], found["code"]) == ("PermissionDeniedError", 403, "forbidden")
