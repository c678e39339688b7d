"""The local REST front passes streams on like API Gateway: a prelude, then each piece as it comes."""

import http.client
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.local.api.gateway import Gateway
from tests.local.api.server import Answer, Server
from tests.local.api.streams import PRELUDE_LIMIT, Pieces
from tests.local.functions.invocation import EventTooLarge, Outcome, Sink, failure
from tests.local.functions.pool import Functions
from tests.local.plan import FunctionPlan, Plan, Route
from tests.local.stack import Stack
from tests.local.toy.calling import CODE, call
from tests.local.toy.meeting import Meeting
from tests.timeouts import HANG_SECONDS

pytest_plugins = ["tests.local.toy.fixture"]

PRELUDE = b'{"statusCode":200,"headers":{"Content-Type":"text/plain"}}' + bytes(8)


@contextmanager
def reading(url: str, *steps: str) -> Iterator[http.client.HTTPResponse]:
    """Request a stream of these steps; its reader leaves at the end of the block."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=HANG_SECONDS)
    body = json.dumps({"steps": steps})
    connection.request("POST", f"{parts.path}/stream", body, {"Content-Type": "application/json"})
    try:
        yield connection.getresponse()
    finally:
        connection.close()


def test_gateway_passes_each_piece_on_as_it_comes(toy: Stack) -> None:
    with Meeting() as meeting:
        wait = f"wait {meeting.port}"
        with reading(toy.url, "start", wait, "send Hel", wait, "send lo.") as response:
            assert (response.status, response.headers["Content-Type"]) == (200, "text/event-stream")
            assert response.headers.get_all("X-Many") == ["1", "2"]
            assert response.headers["x-amzn-RequestId"]
            meeting.arrival().go_on()
            assert response.read1() == b"Hel"
            meeting.arrival().go_on()
            assert response.read() == b"lo."


def test_function_goes_on_when_its_reader_has_left(toy: Stack) -> None:
    with Meeting() as meeting:
        wait = f"wait {meeting.port}"
        with reading(toy.url, "start", wait, "fill 9000000", "send b", wait) as response:
            assert response.status == 200
            left = meeting.arrival()
        left.go_on()
        meeting.arrival().go_on()
    assert call(toy.url, "POST", "/stream", {}, **{"Content-Type": "application/json"}).status == 200


def test_response_of_a_streaming_method_can_be_whole(toy: Stack) -> None:
    reply = call(toy.url, "POST", "/stream", {}, **{"Content-Type": "application/json"})
    assert (reply.status, reply.headers["Content-Type"]) == (200, "application/json")
    assert reply.json["left"] <= 280_000


def test_error_of_a_stream_cuts_its_connection(toy: Stack) -> None:
    with reading(toy.url, "start", "send a", "fail") as response:
        assert response.read1() == b"a"
        with pytest.raises(http.client.IncompleteRead):
            response.read()


def test_stream_is_an_invalid_response_of_a_method_that_does_not_stream(toy: Stack) -> None:
    reply = call(toy.url, "POST", "/whole", {}, **{"Content-Type": "application/json"})
    assert (reply.status, reply.json["code"]) == (502, "internal")


def test_invocation_without_a_gateway_returns_the_joined_stream(toy: Stack) -> None:
    event = {"httpMethod": "POST", "resource": "/stream", "body": '{"steps": ["start", "send a", "send b"]}'}
    assert toy.invoke("StreamerFunction", event).payload.partition(bytes(8))[2] == b"ab"


type Invoke = Callable[[str, bytes, Sink], Outcome]


@contextmanager
def served(invoke: Any, **limits: Any) -> Iterator[str]:
    """The URL of a gateway with one streaming method."""
    routes = (Route("POST", "/stream", "F", None, streams=True, seconds=HANG_SECONDS),)
    server = Server(Gateway(Plan({}, routes=routes), invoke, **limits).answer)
    try:
        yield f"http://127.0.0.1:{server.port}/local"
    finally:
        server.stop()


def sending(*pieces: bytes, end: Outcome | None = None) -> Invoke:
    """Return a function that streams these pieces."""

    def invoke(name: str, event: bytes, sink: Sink) -> Outcome:
        for piece in pieces:
            sink(piece)
        return end or Outcome(b"")

    return invoke


def test_prelude_can_arrive_in_parts() -> None:
    parts = [bytes([each]) for each in PRELUDE + b"Hello."]
    with served(sending(*parts)) as url:
        reply = call(url, "POST", "/stream")
    assert (reply.status, reply.headers["Content-Type"], reply.body) == (200, "text/plain", b"Hello.")


def test_response_that_was_not_streamed_can_have_a_prelude() -> None:
    with served(sending(end=Outcome(PRELUDE + b"Hello."))) as url:
        assert call(url, "POST", "/stream").body == b"Hello."


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b'{"statusCode": 200, "body": "a proxy response"}',
        b"no prelude" + bytes(8),
        b"[]" + bytes(8),
        b'{"statusCode": 999}' + bytes(8),
        b'{"headers": {}}' + bytes(8),
        json.dumps({"statusCode": 200, "headers": {"X": "x" * PRELUDE_LIMIT}}).encode() + bytes(8),
    ],
)
@pytest.mark.parametrize("is_streamed", [True, False])
def test_response_without_a_valid_prelude_is_a_502(payload: bytes, *, is_streamed: bool) -> None:
    invoke = sending(payload) if is_streamed else sending(end=Outcome(payload))
    with served(invoke) as url:
        reply = call(url, "POST", "/stream")
    assert (reply.status, reply.json) == (502, {"message": "Internal server error"})


def test_function_that_fails_before_its_prelude_is_a_502() -> None:
    with served(sending(b'{"statusCode"', end=failure("Runtime.ExitError", "exited"))) as url:
        assert call(url, "POST", "/stream").status == 502


def test_event_over_the_limit_is_a_413() -> None:
    def invoke(name: str, event: bytes, sink: Sink) -> Outcome:
        raise EventTooLarge

    with served(invoke) as url:
        assert call(url, "POST", "/stream").status == 413


@pytest.fixture
def functions() -> Iterator[Functions]:
    """A function that may take three seconds."""
    plan = FunctionPlan("F", "functions.streamer.handler", 3, 128, {}, (), {}, ())
    made = Functions({"F": plan}, CODE, "http://127.0.0.1:1", 1, log=2)
    yield made
    made.stop()


def test_function_timeout_cuts_the_connection(functions: Functions) -> None:
    with (
        Meeting() as meeting,
        served(functions.invoke) as url,
        reading(url, "start", "send a", f"wait {meeting.port}") as response,
    ):
        assert response.read1() == b"a"
        assert meeting.arrival().died()
        with pytest.raises(http.client.IncompleteRead):
            response.read()


@pytest.mark.parametrize("limit", ["timeout", "idle"])
def test_gateway_limit_before_the_prelude_is_a_504(toy: Stack, limit: str) -> None:
    with Meeting() as meeting, served(_streamer(toy), **{limit: 0.2}) as url:
        with reading(url, f"wait {meeting.port}", "start") as response:
            assert response.status == 504
        meeting.arrival().go_on()


@pytest.mark.parametrize(("seconds", "idle"), [(0, 1), (1, 0)])
def test_limit_cuts_a_stream(seconds: float, idle: float) -> None:
    pieces = Pieces(seconds, idle)
    pieces.add(b"a")
    pieces.add(b"b")
    server = Server(lambda request: Answer(200, pieces=iter(pieces)))
    try:
        with reading(f"http://127.0.0.1:{server.port}") as response, pytest.raises(http.client.IncompleteRead) as cut:
            response.read()
    finally:
        server.stop()
    assert cut.value.partial == b"ab"


def _streamer(toy: Stack) -> Invoke:
    return lambda name, event, sink: toy.functions.invoke("StreamerFunction", event, sink)
