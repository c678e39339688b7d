"""Headers of every response, HEAD, challenges and the entity tag of the OpenAPI document."""

import pytest

from tests.integration.app import App
from tests.integration.front import Front

SECURITY = {"X-Content-Type-Options": "nosniff", "Strict-Transport-Security": "max-age=63072000"}
PUBLIC = ("/api/models", "/api/models/changes", "/api/openapi.json", "/api/resource-types", "/api/models/a/b")


@pytest.fixture
def front(app: App) -> Front:
    return Front(app)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/models"),  # public
        ("GET", "/api/models/a/b"),  # not found
        ("GET", "/api/resources"),  # rejected by the gateway
        ("GET", "/api/nothing"),  # no route
        ("OPTIONS", "/api/execute"),
    ],
)
def test_response_has_the_security_headers(front: Front, method: str, path: str) -> None:
    answer = front.ask(method, path)
    assert {name: answer.headers.get(name) for name in SECURITY} == SECURITY


def test_authenticated_response_has_the_security_headers(app: App) -> None:
    for answer in (app.call("GET", "/api/resources"), app.call("POST", "/api/resources", raw="{")):
        assert {name: answer.headers.get(name) for name in SECURITY} == SECURITY


def test_cors_is_off_by_default(front: Front) -> None:
    for method, path in (("OPTIONS", "/api/execute"), ("GET", "/api/models"), ("GET", "/api/resources")):
        answer = front.ask(method, path, headers={"Origin": "https://app.example"})
        assert [name for name in answer.headers if name.lower().startswith(("access-control", "vary"))] == []


@pytest.mark.parametrize("path", PUBLIC)
def test_head_returns_the_status_and_headers_of_get_without_a_body(front: Front, path: str) -> None:
    get, head = (front.ask(method, path) for method in ("GET", "HEAD"))
    assert (head.status, head.headers, head.text) == (get.status, get.headers, "")
    assert get.text


def test_head_rejects_invalid_queries_like_get(front: Front) -> None:
    assert front.ask("HEAD", "/api/models?limit=x").status == front.ask("GET", "/api/models?limit=x").status == 422


def test_missing_token_is_answered_with_a_challenge(front: Front) -> None:
    answer = front.ask("GET", "/api/resources")
    assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


def test_expired_token_is_answered_with_a_challenge_that_the_gateway_renames(app: App) -> None:
    answer = app.call("GET", "/api/resources", until="2020-01-01T00:00:00.000000Z")
    assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


def test_openapi_document_has_an_entity_tag(app: App) -> None:
    first = app.call("GET", "/api/openapi.json", user=None)
    tag = first.headers["ETag"]
    again = app.call("GET", "/api/openapi.json", user=None, headers={"If-None-Match": tag})
    assert (again.status, again.text, again.headers["ETag"]) == (304, "", tag)
    assert app.call("GET", "/api/openapi.json", user=None, headers={"If-None-Match": '"other"'}).status == 200
