"""The lease of a throttle is released when the response ends, not when the handler returns."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from instant.entrypoints.http.app import api, handler_of, responder
from instant.entrypoints.http.headers import SECURITY
from instant.entrypoints.http.stream import Stream
from instant.settings import ExecuteSettings
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


def leases(app: App) -> int:
    """Return the number of alice's executions in flight."""
    rows = [row for row in app.table("LIMITS_TABLE") if row["name"]["S"] == "runs#user_alice"]
    return sum(len(row.get("leases", {}).get("SS", ())) for row in rows)


def answer(settings: ExecuteSettings, response: Any) -> Any:
    """Return what a function returns whose resolver returns `response`."""
    return responder(lambda event, context: response, settings)(EVENT, Context(30))


def chunks(*, fails: bool = False) -> Iterator[bytes]:
    yield b"Hel"
    if fails:
        raise OSError("the connection was lost")
    yield b"lo."


def test_stream_holds_its_lease_until_the_last_chunk(app: App, settings: ExecuteSettings) -> None:
    stream = answer(settings, Stream(200, {}, chunks()))
    reader = iter(stream)
    assert (next(reader), leases(app)) == (b"Hel", 1)
    assert answer(settings, {"statusCode": 200})["statusCode"] == 429
    assert (next(reader), leases(app)) == (b"lo.", 1)
    assert (next(reader, None), leases(app)) == (None, 0)
    assert answer(settings, {"statusCode": 200})["statusCode"] == 200


@pytest.mark.parametrize("read", [0, 1])
def test_closed_stream_releases_its_lease(app: App, settings: ExecuteSettings, read: int) -> None:
    source = chunks()
    with answer(settings, Stream(200, {}, source)) as stream:
        reader = iter(stream)
        for _ in range(read):
            next(reader)
        assert leases(app) == 1
    assert leases(app) == 0
    assert next(source, None) is None, "the generator of the body is closed as well"


def test_failing_stream_releases_its_lease(app: App, settings: ExecuteSettings) -> None:
    with pytest.raises(OSError, match="lost"):
        list(answer(settings, Stream(200, {}, chunks(fails=True))))
    assert leases(app) == 0


def test_whole_response_releases_its_lease_before_it_is_returned(app: App, settings: ExecuteSettings) -> None:
    assert answer(settings, {"statusCode": 200})["statusCode"] == 200
    assert leases(app) == 0


def test_error_response_releases_its_lease(app: App, settings: ExecuteSettings) -> None:
    def fail(event: dict[str, Any], context: Any) -> dict[str, Any]:
        assert leases(app) == 1
        raise ValueError("a bug")

    response = responder(fail, settings)(EVENT, Context(30))
    assert (response["statusCode"], leases(app)) == (500, 0)  # type: ignore[index]


def test_stream_response_is_not_cached(app: App, settings: ExecuteSettings) -> None:
    with answer(settings, Stream(200, {"Content-Type": ["text/event-stream"]}, chunks())) as stream:
        assert stream.headers == {"Content-Type": ["text/event-stream"], "Cache-Control": ["no-store"], **SECURITY}


def test_buffered_stream_is_the_join_of_its_chunks(app: App, settings: ExecuteSettings) -> None:
    buffered = answer(settings, Stream(200, {}, chunks())).buffered()
    assert (buffered["statusCode"], buffered["body"], leases(app)) == (200, "Hello.", 0)


def test_public_stream_keeps_its_headers(app: App, settings: ExecuteSettings) -> None:
    stream = Stream(200, {"Content-Type": ["text/event-stream"]}, chunks())
    public = {"httpMethod": "GET", "resource": "/api/models", "requestContext": {}}
    response = responder(lambda event, context: stream, settings)(public, Context(30))
    assert response is stream
    assert stream.headers == {"Content-Type": ["text/event-stream"], **SECURITY}


def test_too_long_body_releases_the_lease(app: App, settings: ExecuteSettings) -> None:
    respond = responder(lambda event, context: Stream(200, {}, chunks()), settings, max_body_bytes=3)
    response = respond({**EVENT, "body": "long"}, Context(30))
    assert (response["statusCode"], leases(app)) == (413, 0)  # type: ignore[index]


def test_stream_ends_though_its_lease_cannot_be_released(
    app: App, settings: ExecuteSettings, caplog: pytest.LogCaptureFixture
) -> None:
    stream = answer(settings, Stream(200, {}, chunks()))
    with faults("UpdateItem", failure("AccessDeniedException")):
        assert b"".join(stream) == b"Hello."
    assert "lease" in caplog.text
    assert leases(app) == 1


def test_chunks_are_closed_before_the_lease_is_released(app: App, settings: ExecuteSettings) -> None:
    held = list[int]()

    def closing() -> Iterator[bytes]:
        try:
            yield from chunks()
        finally:
            held.append(leases(app))

    with answer(settings, Stream(200, {}, closing())) as stream:
        reader = iter(stream)
        assert next(reader) == b"Hel"
    assert (held, leases(app)) == ([1], 0)


def buffered(settings: ExecuteSettings, *, fails: bool = False) -> dict[str, Any]:
    """The buffered response of a function that streams."""
    resolver = api()

    def resolve(event: dict[str, Any], context: Any) -> Stream:
        return Stream(200, {}, chunks(fails=fails))

    resolver.resolve = resolve  # type: ignore[assignment, method-assign]
    return handler_of(resolver, settings)(EVENT, Context(30))


def test_handler_buffers_a_stream_and_releases_its_lease(app: App, settings: ExecuteSettings) -> None:
    response = buffered(settings)
    assert (response["statusCode"], response["body"], leases(app)) == (200, "Hello.", 0)


def test_handler_returns_an_error_response_for_a_failing_stream(app: App, settings: ExecuteSettings) -> None:
    response = buffered(settings, fails=True)
    assert (response["statusCode"], json.loads(response["body"])["error"]["code"]) == (500, "internal")
    assert (response["multiValueHeaders"]["Cache-Control"], leases(app)) == (["no-store"], 0)
