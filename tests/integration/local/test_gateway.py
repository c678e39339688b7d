"""The local REST front compared with API Gateway: routes, events, authorizers, limits and gateway responses."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.local.api.gateway import REQUEST_LIMIT, Gateway
from tests.local.api.server import Server
from tests.local.functions.invocation import PAYLOAD_LIMIT, Outcome
from tests.local.plan import Plan, Route
from tests.local.stack import Stack
from tests.local.toy.calling import Reply, call
from tests.local.toy.meeting import Meeting

pytest_plugins = ["tests.local.toy.fixture"]


def get(toy: Stack, path: str, user: str | None = None, **headers: str) -> Reply:
    given = {"Authorization": f"Bearer {user}"} if user else {}
    return call(toy.url, "GET", path, **given, **headers)


def act(toy: Stack, **order: object) -> Reply:
    return call(toy.url, "POST", "/act", order)


def test_gateway_keeps_paths_encoded_and_decodes_queries(toy: Stack) -> None:
    event = get(toy, "/echo/a%3Ab/c~d%2Fe?q=x%20y&many=1&many=2&empty=", "ann").json["event"]
    assert event["path"] == "/echo/a%3Ab/c~d%2Fe"
    assert event["pathParameters"] == {"author": "a%3Ab", "slug": "c~d%2Fe"}
    assert event["queryStringParameters"] == {"q": "x y", "many": "2", "empty": ""}
    assert event["multiValueQueryStringParameters"]["many"] == ["1", "2"]
    assert event["resource"] == event["requestContext"]["resourcePath"] == "/echo/{author}/{slug}"
    assert event["requestContext"]["path"] == "/local/echo/a%3Ab/c~d%2Fe"
    assert event["requestContext"]["stage"] == "local"
    assert event["requestContext"]["identity"]["sourceIp"] == "127.0.0.1"
    assert toy.url.startswith(f"http://{event['requestContext']['domainName']}/")


def test_gateway_prefers_literal_path_segments(toy: Stack) -> None:
    assert get(toy, "/echo/fixed/name", "ann").json["event"]["resource"] == "/echo/fixed/name"
    assert get(toy, "/echo/fixed/other", "ann").json["event"]["resource"] == "/echo/{author}/{slug}"


def test_gateway_keeps_header_case_and_repeated_headers(toy: Stack) -> None:
    reply = get(toy, "/open", **{"x-LOWER": "1"})
    assert reply.json["event"]["headers"]["x-LOWER"] == "1"
    assert reply.headers.get_all("X-Many") == ["1", "2"]
    assert reply.headers["X-One"] == "1"


def test_function_environment_matches_the_template(toy: Stack) -> None:
    environment = get(toy, "/open").json["environment"]
    assert environment["STAGE"] == "local"
    assert environment["LIMIT"] == "9"
    assert environment["SWITCH"] == "true"
    assert environment["SELF"] == "ActFunction"
    assert environment["BUCKET_ARN"].startswith("arn:aws:s3:::local-")
    assert environment["AWS_LAMBDA_LOG_FORMAT"] == "JSON"
    assert {name: environment[name] for name in toy.environment("EchoFunction")} == toy.environment("EchoFunction")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nope"),
        ("GET", "/echo/a"),
        ("GET", "/echo//b"),
        ("DELETE", "/open"),
        ("HEAD", "/open"),
        ("ODD", "/open"),
    ],
)
def test_gateway_renders_unknown_routes_and_methods_from_the_template(toy: Stack, method: str, path: str) -> None:
    reply = call(toy.url, method, path)
    assert reply.status == 404
    if method != "HEAD":
        assert reply.json == {"code": "MISSING_AUTHENTICATION_TOKEN", "request": reply.headers["x-amzn-RequestId"]}


def test_gateway_requires_the_stage_in_every_path(toy: Stack) -> None:
    base = toy.url.removesuffix("/local")
    assert call(base, "GET", "/open").status == 404
    assert call(base, "GET", "/other/open").status == 404


def test_authorizer_policy_is_cached_by_token_for_all_paths(toy: Stack) -> None:
    toy.calls.clear()
    context = get(toy, "/echo/a/b", "cached").json["event"]["requestContext"]["authorizer"]
    latency = context.pop("integrationLatency")
    assert isinstance(latency, int)
    assert context == {"principalId": "cached", "user_id": "cached", "level": "1", "admin": "true"}
    assert get(toy, "/echo/fixed/name", "cached").status == 200
    assert call(toy.url, "GET", "/echo/a/b", authorization="Bearer cached").status == 200
    assert get(toy, "/forbidden", "cached").status == 403
    assert len(toy.calls.of("AuthorizerFunction")) == 1


def test_gateway_returns_401_403_or_500_on_authorizer_failures(toy: Stack) -> None:
    toy.calls.clear()
    missing = get(toy, "/echo/a/b")
    assert (missing.status, missing.json) == (401, {"code": "unauthenticated", "message": "Unauthorized"})
    assert missing.headers["WWW-Authenticate"] == "Bearer"
    assert toy.calls.of("AuthorizerFunction") == []
    assert get(toy, "/echo/a/b", "wrong").status == 401
    assert get(toy, "/echo/a/b", "denied").json == {
        "message": "User is not authorized to access this resource"  # no ACCESS_DENIED and no DEFAULT_4XX in the toy
    }
    for user in ("broken", "odd"):
        reply = get(toy, "/echo/a/b", user)
        assert (reply.status, reply.json) == (500, {"code": "internal", "message": None})
    assert get(toy, "/open").status == 200


@pytest.mark.parametrize(
    "order", [{"do": "raise"}, {"do": "crash"}, {"do": "nonsense"}, {"do": "big", "size": PAYLOAD_LIMIT + 200}]
)
def test_gateway_returns_502_on_invalid_function_responses(toy: Stack, order: dict[str, object]) -> None:
    reply = act(toy, **order)
    assert (reply.status, reply.json) == (502, {"code": "internal", "message": "Internal server error"})
    assert act(toy, do="pid").status == 200


def test_gateway_rejects_oversized_requests_with_413(toy: Stack) -> None:
    over_gateway = call(toy.url, "POST", "/open", b"x" * (REQUEST_LIMIT + 1))
    over_function = call(toy.url, "POST", "/open", b"x" * PAYLOAD_LIMIT)
    assert (over_gateway.status, over_function.status) == (413, 413)
    assert over_function.json == {"message": "Request Too Long"}
    assert call(toy.url, "POST", "/open", b"x" * (PAYLOAD_LIMIT - 10_000)).status == 200


def test_function_keeps_running_after_the_gateway_timeout(toy: Stack) -> None:
    plan = Plan(toy.plan.functions, routes=toy.plan.routes, gateway_responses=toy.plan.gateway_responses)
    impatient = Server(Gateway(plan, toy.functions.invoke, timeout=0.2).answer)
    with Meeting() as meeting:
        reply = call(f"http://127.0.0.1:{impatient.port}", "POST", "/local/patient", meeting.order)
        assert (reply.status, reply.json) == (504, {"code": "internal", "message": "Endpoint request timed out"})
        meeting.arrival().go_on()
    impatient.stop()


def test_gateway_runs_requests_concurrently(toy: Stack) -> None:
    with Meeting() as meeting, ThreadPoolExecutor(4) as threads:
        replies = [threads.submit(call, toy.url, "POST", "/patient", meeting.order) for _ in range(4)]
        for arrival in [meeting.arrival() for _ in range(4)]:
            arrival.go_on("together")
        assert [reply.result().body for reply in replies] == [b"together"] * 4


def test_gateway_returns_aws_default_responses_without_configuration() -> None:
    gateway = Gateway(Plan({}, routes=(Route("GET", "/a", "F", None),)), lambda name, event: Outcome(b"{}"))
    server = Server(gateway.answer)
    url = f"http://127.0.0.1:{server.port}/local"
    missing, broken = call(url, "GET", "/nope"), call(url, "GET", "/a")
    signed = call(url, "GET", "/nope", Authorization="Bearer token")
    server.stop()
    assert (missing.status, missing.json) == (403, {"message": "Missing Authentication Token"})
    assert (signed.status, "'Bearer token' not a valid key=value pair" in signed.json["message"]) == (403, True)
    assert (broken.status, broken.json) == (502, {"message": "Internal server error"})
