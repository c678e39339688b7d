"""A caller is called back while it waits for a response, and can end the exchange."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from instant.adapters.http.upstream import HttpUpstream
from instant.domain.errors import DeadlineExceeded, InvalidField
from instant.domain.exchange import Request
from instant.domain.executions.failure import Effect, Failure
from instant.ports.upstream import exchange
from tests.fakes.clock import TickingClock
from tests.fakes.openrouter import FakeOpenRouter
from tests.fakes.openrouter.script import Step
from tests.integration.tcp_server import tcp_server
from tests.timeouts import HANG_SECONDS

WITH_ID = {"Content-Type": "application/json", "X-Generation-Id": "gen-42"}
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@pytest.fixture
def fake() -> Iterator[FakeOpenRouter]:
    with FakeOpenRouter() as running:
        yield running


@pytest.fixture
def upstream() -> Iterator[HttpUpstream]:
    """A client that calls back every 10 ms, and reports the generation id after 15 ms."""
    with closing(HttpUpstream(wait_seconds=0.01, body_seconds=0.015)) as made:
        yield made


def asking(base_url: str) -> Request:
    """Return a request without a body."""
    return Request(method="GET", base_url=base_url, path="/key", id_header="x-generation-id")


class Latch:
    """A callback that opens an event at its third call."""

    def __init__(self) -> None:
        """Start closed."""
        self.calls = 0
        self.opened = threading.Event()

    def __call__(self) -> None:
        """Count the call."""
        self.calls += 1
        if self.calls == 3:
            self.opened.set()


@pytest.mark.parametrize("place", [0, 1, 2])
def test_caller_is_called_back_while_nothing_arrives(fake: FakeOpenRouter, upstream: HttpUpstream, place: int) -> None:
    latch = Latch()
    steps: list[Step] = [b"{", b"}"]
    fake.script(200, headers=WITH_ID, chunks=[*steps[:place], latch.opened, *steps[place:]])
    request = Request(method="POST", base_url=fake.url, path="/chat/completions", body=b"{}")
    assert exchange(upstream, request, seconds=HANG_SECONDS, on_wait=latch).body == b"{}"
    assert latch.calls >= 3


def test_caller_is_called_back_between_reads_that_do_not_wait() -> None:
    calls: list[int] = []
    slow_clock = HttpUpstream(clock=TickingClock(1.0), wait_seconds=0.5)
    with closing(slow_clock), tcp_server(lambda connection, number: connection.sendall(ANSWER)) as (url, _):
        assert exchange(slow_clock, asking(url), seconds=HANG_SECONDS, on_wait=lambda: calls.append(1)).body == b"{}"
    assert calls


@pytest.mark.parametrize(
    "error",
    [
        OSError("the table is not available"),
        InvalidField("stopped"),
        Failure(InvalidField("stopped"), effect=Effect.UNKNOWN),
        KeyboardInterrupt(),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("sent", [b"", ANSWER[:-1]], ids=["before the headers", "in the body"])
def test_error_of_the_caller_ends_the_exchange_unchanged(
    upstream: HttpUpstream, error: BaseException, sent: bytes
) -> None:
    closed = threading.Event()

    def serve(connection: socket.socket, number: int) -> None:
        connection.sendall(sent if number == 1 else ANSWER)
        if number == 1 and connection.recv(1) == b"":
            closed.set()

    def stop() -> None:
        raise error

    with tcp_server(serve) as (url, _):
        with pytest.raises(type(error)) as caught:
            exchange(upstream, asking(url), seconds=HANG_SECONDS, on_wait=stop)
        assert caught.value is error
        assert closed.wait(HANG_SECONDS)
        assert exchange(upstream, asking(url), seconds=HANG_SECONDS).body == b"{}"


def test_calls_back_do_not_extend_the_deadline(fake: FakeOpenRouter) -> None:
    calls: list[int] = []
    ticking = HttpUpstream(clock=TickingClock(HANG_SECONDS / 30), wait_seconds=0.01)
    fake.script(200, headers=WITH_ID, chunks=[b"{", threading.Event()])
    request = Request(method="POST", base_url=fake.url, path="/chat/completions", body=b"{}")
    with closing(ticking), pytest.raises(Failure) as caught:
        exchange(ticking, request, seconds=HANG_SECONDS, on_wait=lambda: calls.append(1))
    assert type(caught.value.error) is DeadlineExceeded
    assert calls


def test_generation_id_is_reported_once_between_calls_back(fake: FakeOpenRouter, upstream: HttpUpstream) -> None:
    ids: list[str] = []
    calls: list[int] = []
    reported = threading.Event()

    def report(generation_id: str) -> None:
        ids.append(generation_id)
        reported.set()

    fake.script(200, headers=WITH_ID, chunks=[b"{", reported, b"}"])
    request = Request(
        method="POST", base_url=fake.url, path="/chat/completions", body=b"{}", id_header="x-generation-id"
    )
    exchange(upstream, request, seconds=HANG_SECONDS, on_generation_id=report, on_wait=lambda: calls.append(len(ids)))
    assert ids == ["gen-42"]
    assert calls
