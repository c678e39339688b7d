"""The lease of a throttle is released when the response ends, not when the handler returns."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from instant.domain.errors import NotFound
from instant.entrypoints.http.app import api, handler_of, responder
from instant.entrypoints.http.fields import Body
from instant.entrypoints.http.headers import SECURITY
from instant.entrypoints.http.stream import Headers, Run, Start, Stream, Write, streamed
from instant.entrypoints.http.throttles import LEASE
from instant.settings import ExecuteSettings, StreamSettings
from instant.use_cases.access.throttle import Lease
from tests.fakes.aws_faults import failure, faults
from tests.integration.app import App, Context, deployed_app

EVENT: dict[str, Any] = {
    "httpMethod": "POST",
    "resource": "/api/execute",
    "requestContext": {"authorizer": {"user_id": "user_alice", "scopes": "execute"}},
}


@pytest.fixture(scope="module")
def module_app() -> Iterator[App]:
    with deployed_app() as opened:
        yield opened


@pytest.fixture
def settings(app: App) -> ExecuteSettings:
    """Settings that allow one execution in flight per user."""
    facts: dict[str, Any] = {"limits_table": app.name("LIMITS_TABLE"), "execute_per_minute": 100, "max_in_flight": 1}
    return ExecuteSettings.model_construct(**facts)


def lease_ends(app: App) -> list[float]:
    """Return when the leases of alice's executions in flight expire."""
    rows = [row for row in app.table("LIMITS_TABLE") if row["name"]["S"] == "runs#user_alice"]
    return [float(lease.partition("-")[0]) for row in rows for lease in row.get("leases", {}).get("SS", ())]


def leases(app: App) -> int:
    """Return the number of alice's executions in flight."""
    return len(lease_ends(app))


def answer(settings: ExecuteSettings, response: Any, event: dict[str, Any] = EVENT) -> Any:
    """Return what a function returns whose resolver returns `response`."""
    return responder(lambda event, context: response, settings)(event, Context(30))


class Sent(list[bytes]):
    """The pieces that a client has received, with the leases that were held as each arrived."""

    def __init__(self, app: App) -> None:
        """Nothing has arrived."""
        super().__init__()
        self.app = app
        self.status = 0
        self.headers: Headers = {}
        self.held: list[int] = []

    def start(self, status: int, headers: Headers) -> Write:
        """Receive the status and the headers."""
        self.status, self.headers = status, headers
        return self.receive

    def receive(self, piece: bytes) -> None:
        """Receive a piece of the body."""
        self.append(piece)
        self.held.append(leases(self.app))


@pytest.fixture
def sent(app: App) -> Sent:
    return Sent(app)


def hello(start: Start) -> None:
    """Send two pieces."""
    write = start(200, {"Content-Type": ["text/event-stream"]})
    write(b"Hel")
    write(b"lo.")


def cut(start: Start) -> None:
    """Send one piece and fail."""
    start(200, {})(b"Hel")
    raise OSError("the connection was lost")


def refuse(start: Start) -> None:
    """Fail before anything is sent."""
    raise NotFound.of("resource")


def test_stream_holds_its_lease_until_it_has_been_sent(app: App, settings: ExecuteSettings, sent: Sent) -> None:
    stream = answer(settings, Stream(hello))
    assert leases(app) == 1
    assert answer(settings, {"statusCode": 200})["statusCode"] == 429
    stream.send(sent.start)
    assert (sent, sent.held) == ([b"Hel", b"lo."], [1, 1])
    assert leases(app) == 0
    assert answer(settings, {"statusCode": 200})["statusCode"] == 200


def test_failing_stream_releases_its_lease(app: App, settings: ExecuteSettings, sent: Sent) -> None:
    with pytest.raises(OSError, match="lost"):
        answer(settings, Stream(cut)).send(sent.start)
    assert (sent.held, leases(app)) == ([1], 0)


def test_stream_that_fails_before_its_start_is_an_error_response(
    app: App, settings: ExecuteSettings, sent: Sent
) -> None:
    answer(settings, Stream(refuse)).send(sent.start)
    assert (sent.status, json.loads(sent[0])["error"]["code"]) == (404, "not_found")
    assert sent.headers == {"Content-Type": ["application/json"], "Cache-Control": ["no-store"], **SECURITY}
    assert leases(app) == 0


def test_stream_that_never_starts_is_an_error_response(app: App, settings: ExecuteSettings, sent: Sent) -> None:
    answer(settings, Stream(lambda start: None)).send(sent.start)
    assert (sent.status, json.loads(sent[0])["error"]["code"], leases(app)) == (500, "internal", 0)


def test_whole_response_releases_its_lease_before_it_is_returned(app: App, settings: ExecuteSettings) -> None:
    assert answer(settings, {"statusCode": 200})["statusCode"] == 200
    assert leases(app) == 0


def test_error_response_releases_its_lease(app: App, settings: ExecuteSettings) -> None:
    def fail(event: dict[str, Any], context: Any) -> dict[str, Any]:
        assert leases(app) == 1
        raise ValueError("a bug")

    response = responder(fail, settings)(EVENT, Context(30))
    assert (response["statusCode"], leases(app)) == (500, 0)  # type: ignore[index]


def test_stream_response_is_not_cached(settings: ExecuteSettings, sent: Sent) -> None:
    answer(settings, Stream(hello)).send(sent.start)
    assert sent.headers == {"Content-Type": ["text/event-stream"], "Cache-Control": ["no-store"], **SECURITY}


def test_buffered_stream_is_the_join_of_its_pieces(app: App, settings: ExecuteSettings) -> None:
    buffered = answer(settings, Stream(hello)).buffered()
    assert (buffered["statusCode"], buffered["body"], leases(app)) == (200, "Hello.", 0)


def test_public_stream_keeps_its_headers(settings: ExecuteSettings, sent: Sent) -> None:
    public = {"httpMethod": "GET", "resource": "/api/models", "requestContext": {}}
    answer(settings, Stream(hello), public).send(sent.start)
    assert (sent, sent.held) == ([b"Hel", b"lo."], [0, 0])
    assert sent.headers == {"Content-Type": ["text/event-stream"], **SECURITY}


def test_too_long_body_releases_the_lease(app: App, settings: ExecuteSettings) -> None:
    respond = responder(lambda event, context: Stream(hello), settings, max_body_bytes=3)
    response = respond({**EVENT, "body": "long"}, Context(30))
    assert (response["statusCode"], leases(app)) == (413, 0)  # type: ignore[index]


def test_stream_ends_though_its_lease_cannot_be_released(
    app: App, settings: ExecuteSettings, sent: Sent, caplog: pytest.LogCaptureFixture
) -> None:
    stream = answer(settings, Stream(hello))
    with faults("UpdateItem", failure("AccessDeniedException")):
        stream.send(sent.start)
    assert b"".join(sent) == b"Hello."
    assert "lease" in caplog.text
    assert leases(app) == 1


def test_stream_ends_before_its_lease_is_released(app: App, settings: ExecuteSettings, sent: Sent) -> None:
    held, stream = list[int](), Stream(hello)
    stream.on_close(lambda: held.append(leases(app)))
    answer(settings, stream).send(sent.start)
    assert (held, leases(app)) == ([1], 0)


def test_resolver_gets_the_lease_of_its_call(app: App, settings: ExecuteSettings) -> None:
    """A stream has a short one, which its route renews."""
    seen, began = list[Lease | None](), datetime.now(UTC).timestamp()

    def resolve(event: dict[str, Any], context: Any) -> dict[str, Any]:
        seen.append(event[LEASE])
        (end,) = lease_ends(app)
        assert began + 90 <= end <= datetime.now(UTC).timestamp() + 90
        return {"statusCode": 200}

    respond = responder(resolve, StreamSettings.model_construct(**settings.model_dump()))
    respond(EVENT, Context(30))
    respond({**EVENT, "requestContext": {}, "resource": "/api/models", "httpMethod": "GET"}, Context(30))
    assert [type(each) for each in seen] == [Lease, type(None)]


class Named(Body):
    """The body of the route below."""

    name: str


def answer_of_route(settings: ExecuteSettings, run: Run, body: str = '{"name": "Ann"}') -> dict[str, Any]:
    """The buffered response of a function with one route, which streams."""
    app = api()

    @app.post("/api/execute")
    @streamed
    def execute(body: Named) -> Stream | dict[str, str]:
        return Stream(run) if body.name == "Ann" else {"name": body.name}

    event = {**EVENT, "headers": {"Content-Type": "application/json"}, "body": body}
    return handler_of(app, settings)(event, Context(30))


def test_handler_buffers_a_stream_and_releases_its_lease(app: App, settings: ExecuteSettings) -> None:
    response = answer_of_route(settings, hello)
    assert (response["statusCode"], response["body"], leases(app)) == (200, "Hello.", 0)
    assert response["multiValueHeaders"]["Content-Type"] == ["text/event-stream"]


def test_handler_returns_an_error_response_for_a_failing_stream(app: App, settings: ExecuteSettings) -> None:
    response = answer_of_route(settings, cut)
    assert (response["statusCode"], json.loads(response["body"])["error"]["code"]) == (500, "internal")
    assert (response["multiValueHeaders"]["Cache-Control"], leases(app)) == (["no-store"], 0)


def test_route_that_streams_validates_its_body(app: App, settings: ExecuteSettings) -> None:
    response = answer_of_route(settings, hello, '{"name": "Ann", "age": 3}')
    assert (response["statusCode"], json.loads(response["body"])["error"]["code"]) == (422, "invalid_field")
    assert leases(app) == 0


def test_route_that_streams_can_return_a_body(app: App, settings: ExecuteSettings) -> None:
    response = answer_of_route(settings, hello, '{"name": "Bob"}')
    assert (response["statusCode"], response["body"], leases(app)) == (200, '{"name":"Bob"}', 0)
    assert response["multiValueHeaders"]["Content-Type"] == ["application/json"]
