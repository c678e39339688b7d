"""Connections over real sockets: reused while they are clean, and dropped when anything was left over."""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from email.utils import format_datetime

import pytest

from instant.adapters.http.upstream import HttpUpstream
from instant.domain.exchange import Request
from instant.ports.upstream import exchange
from tests.fakes.clock import FakeClock
from tests.integration.tcp_server import tcp_server
from tests.timeouts import HANG_SECONDS

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
FOREIGN = b'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"foreign"'
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
EMPTY = b"HTTP/1.1 204 No Content\r\n\r\n"


@pytest.fixture
def upstream() -> Iterator[HttpUpstream]:
    """A client of its own, whose clock stands still."""
    made = HttpUpstream(clock=FakeClock())
    yield made
    made.close()


def question(base_url: str) -> Request:
    """Return a request without a body, which is sent in one piece."""
    return Request(method="GET", base_url=base_url, path="/key")


def test_connections_are_reused(upstream: HttpUpstream) -> None:
    connections: list[int] = []

    def respond(connection: socket.socket, number: int) -> None:
        connections.append(number)
        for _ in range(2):
            connection.sendall(ANSWER)
            connection.recv(65_536)
        connection.sendall(ANSWER)

    with tcp_server(respond) as (url, _):
        for _ in range(3):
            exchange(upstream, question(url), seconds=HANG_SECONDS)
    assert connections == [1]


def test_connection_closed_by_the_server_is_replaced(upstream: HttpUpstream) -> None:
    closed = threading.Semaphore(0)

    def respond(connection: socket.socket, number: int) -> None:
        connection.sendall(ANSWER)
        connection.close()  # without a Connection: close header
        closed.release()

    with tcp_server(respond) as (url, received):
        for _ in range(5):
            reply = exchange(upstream, question(url), seconds=HANG_SECONDS)
            assert (reply.status, reply.body) == (200, b"{}")
            assert closed.acquire(timeout=HANG_SECONDS)
    assert len(received) == 5


@pytest.mark.parametrize(("idle", "connections"), [(4.9, 1), (5.1, 2), (900, 2)])
def test_connections_idle_too_long_are_not_reused(idle: float, connections: int) -> None:
    """While an environment is frozen only the boot clock advances."""
    clock, opened = FakeClock(), list[int]()
    upstream = HttpUpstream(clock=clock)

    def respond(connection: socket.socket, number: int) -> None:
        opened.append(number)
        connection.sendall(ANSWER)
        if connection.recv(65_536):
            connection.sendall(ANSWER)

    with tcp_server(respond) as (url, _):
        exchange(upstream, question(url), seconds=HANG_SECONDS)
        clock.pass_seconds(idle)
        assert exchange(upstream, question(url), seconds=HANG_SECONDS).status == 200
    upstream.close()
    assert len(opened) == connections


def _wait_for_close(connection: socket.socket) -> None:
    with suppress(ConnectionResetError):  # the client closed the connection with bytes unread
        connection.recv(65_536)


@pytest.mark.parametrize("surplus", [FOREIGN, b"\r\n", b"x"], ids=["response", "line", "byte"])
@pytest.mark.parametrize("answer", [ANSWER, CHUNKED, EMPTY], ids=["length", "chunked", "empty"])
def test_connection_with_surplus_bytes_is_dropped(upstream: HttpUpstream, answer: bytes, surplus: bytes) -> None:
    def respond(connection: socket.socket, number: int) -> None:
        connection.sendall(answer + surplus if number == 1 else ANSWER)
        _wait_for_close(connection)

    with tcp_server(respond) as (url, received):
        exchange(upstream, question(url), seconds=HANG_SECONDS)
        assert exchange(upstream, question(url), seconds=HANG_SECONDS).body == b"{}"
    assert len(received) == 2


def test_connection_with_late_surplus_bytes_is_dropped(upstream: HttpUpstream) -> None:
    first_is_read, surplus_is_sent = threading.Event(), threading.Event()

    def respond(connection: socket.socket, number: int) -> None:
        connection.sendall(ANSWER)
        if number == 1:
            first_is_read.wait(HANG_SECONDS)
            connection.sendall(FOREIGN)
            surplus_is_sent.set()
        _wait_for_close(connection)

    with tcp_server(respond) as (url, received):
        exchange(upstream, question(url), seconds=HANG_SECONDS)
        first_is_read.set()
        assert surplus_is_sent.wait(HANG_SECONDS)
        assert exchange(upstream, question(url), seconds=HANG_SECONDS).body == b"{}"
    assert len(received) == 2


def test_half_read_response_does_not_serve_the_next_request(upstream: HttpUpstream) -> None:
    def respond(connection: socket.socket, number: int) -> None:
        connection.sendall(FOREIGN + FOREIGN if number == 1 else ANSWER)
        _wait_for_close(connection)

    with tcp_server(respond) as (url, received):
        with upstream.open(question(url), seconds=HANG_SECONDS) as response:
            assert response.status == 200
        assert exchange(upstream, question(url), seconds=HANG_SECONDS).body == b"{}"
    assert len(received) == 2


def test_reply_without_a_date_gets_the_current_one(upstream: HttpUpstream) -> None:
    later = format_datetime(FakeClock().now() + timedelta(seconds=90), usegmt=True)
    answer = ANSWER.replace(b"\r\n\r\n", f"\r\nRetry-After: {later}\r\n\r\n".encode())
    with tcp_server(lambda connection, number: connection.sendall(answer)) as (url, _):
        reply = exchange(upstream, question(url), seconds=HANG_SECONDS)
    assert (reply.date, reply.retry_after) == (FakeClock().now(), 90)
