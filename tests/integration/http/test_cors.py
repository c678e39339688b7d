"""Cross-origin requests of web pages: preflight, responses and errors, for the origins that the operator lists."""

from collections.abc import Iterator

import pytest

from instant.entrypoints.http.headers import Cors
from tests.integration.app import Answer, App, deployed_app
from tests.integration.front import Front

PAGE, OTHER = "https://app.example", "https://evil.example"
REQUESTED = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
CORS = "access-control-"


@pytest.fixture(scope="module")
def module_app() -> Iterator[App]:
    with deployed_app(CorsOrigins=f"{PAGE},http://localhost:3000") as opened:
        yield opened


@pytest.fixture
def front(app: App) -> Front:
    return Front(app)


def cors_headers(answer: Answer) -> dict[str, str]:
    """The CORS headers of a response, by lower-case name."""
    return {name.lower(): value for name, value in answer.headers.items() if name.lower().startswith(CORS)}


def preflight(front: Front, path: str, origin: str) -> Answer:
    return front.ask("OPTIONS", path, headers={"Origin": origin, **REQUESTED})


def paths(app: App) -> list[str]:
    """A path of every route."""
    return [route.path.replace("{", "no-").replace("}", "") for route in app.plan.operations]


def test_preflight_of_every_path_allows_a_listed_origin_without_a_token(front: Front, app: App) -> None:
    for path in paths(app):
        answer = preflight(front, path, PAGE)
        assert (answer.status, answer.headers["Access-Control-Allow-Origin"], answer.headers["Vary"]) == (
            *(204, PAGE, "Origin"),
        ), path
        assert {"POST", "PATCH", "DELETE"} <= set(answer.headers["Access-Control-Allow-Methods"].split(", "))


def test_preflight_allows_the_request_headers_of_the_api_and_no_credentials(front: Front) -> None:
    answer = preflight(front, "/api/execute", PAGE)
    allowed = set(answer.headers["Access-Control-Allow-Headers"].split(", "))
    assert {name for name in allowed if not name.startswith(("X-", "OpenAI-"))} == {
        *("Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match", "Prefer", "Last-Event-ID"),
        "HTTP-Referer",
    }
    assert {"X-Stainless-Retry-Count", "X-Stainless-Package-Version", "OpenAI-Organization"} <= allowed
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize("origin", [OTHER, "null", "https://app.example.evil.example", "HTTPS://APP.EXAMPLE", ""])
def test_unlisted_origin_gets_no_cors_headers(front: Front, origin: str) -> None:
    for answer in (
        preflight(front, "/api/execute", origin),
        front.ask("GET", "/api/models", headers={"Origin": origin}),
    ):
        assert cors_headers(answer) == {}
        assert "Origin" in answer.headers["Vary"]


def test_origins_of_the_parameter_are_compared_in_lower_case() -> None:
    event = {"headers": {"Origin": PAGE}}
    assert Cors("https://App.Example").headers(event)["Access-Control-Allow-Origin"] == [PAGE]


@pytest.mark.parametrize("origin", [PAGE, "http://localhost:3000"])
def test_response_allows_a_listed_origin_to_read_it(app: App, origin: str) -> None:
    headers = {"Origin": origin}
    for answer in (
        app.call("GET", "/api/models", user=None, headers=headers),
        app.call("GET", "/api/resources", headers=headers),
        app.call("GET", "/api/resources/none", headers=headers),
        app.call("POST", "/api/execute", raw="{", headers=headers),
        app.call("GET", "/api/resources", headers=headers, until="2020-01-01T00:00:00.000000Z"),
    ):
        assert cors_headers(answer) == {
            "access-control-allow-origin": origin,
            "access-control-expose-headers": "ETag, Location, Retry-After, "
            "x-execution-id, x-ignored-parameters, x-request-id, x-should-retry",
        }
        assert answer.headers["Vary"] == "Origin"


def test_vary_keeps_the_other_headers_of_a_response(app: App) -> None:
    reply = app.invoke("ModelChangesFunction", _feed_event())
    assert reply["multiValueHeaders"]["Vary"] == ["Accept", "Origin"]


def _feed_event() -> dict[str, object]:
    return {
        "resource": "/api/models/changes", "path": "/api/models/changes", "httpMethod": "GET",
        "headers": {"Accept": "application/rss+xml", "Origin": PAGE}, "multiValueHeaders": None,
        "queryStringParameters": None, "multiValueQueryStringParameters": None, "pathParameters": None,
        "requestContext": {"domainName": "api.example", "stage": "test", "path": "/test/api/models/changes"},
        "body": None, "isBase64Encoded": False,
    }  # fmt: skip


def test_gateway_responses_allow_every_origin(front: Front) -> None:
    for answer in (
        front.ask("GET", "/api/resources", headers={"Origin": OTHER}),
        front.ask("GET", "/api/nothing", headers={"Origin": OTHER}),
    ):
        assert answer.status in {401, 404}
        assert cors_headers(answer) == {"access-control-allow-origin": "*"}
