"""HTTP to the outside over real sockets: one deadline, one size, one try, and no key anywhere but on the wire."""

import logging
import socket
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace

import pytest

from instant.adapters.http.upstream import HttpUpstream
from instant.domain.errors import DeadlineExceeded, InstantError, OutcomeUnknown, UpstreamError, UpstreamUnavailable
from instant.domain.exchange import Reply, Request
from instant.domain.executions.failure import Failure
from instant.domain.executions.receipt import Receipt
from instant.domain.secret import Secret
from instant.ports.upstream import exchange
from tests.fakes.clock import FakeClock, TickingClock
from tests.fakes.openrouter import FakeOpenRouter
from tests.fakes.openrouter.script import Pause, Step
from tests.timeouts import HANG_SECONDS

KEY = "sk-or-v1-" + "canary42" * 8
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@pytest.fixture
def fake() -> Iterator[FakeOpenRouter]:
    with FakeOpenRouter() as running:
        yield running


@pytest.fixture(scope="module")
def upstream() -> Iterator[HttpUpstream]:
    """One client for the whole module, as one serves a whole environment."""
    made = HttpUpstream()
    yield made
    made.close()


@pytest.fixture(scope="module")
def short_timeout() -> Iterator[HttpUpstream]:
    """A client to whom each reading of the clock takes a hundredth of a second."""
    made = HttpUpstream(clock=TickingClock(0.01))
    yield made
    made.close()


def chat(base_url: str, most: int = 1_000_000, prompt: str = "Hello") -> Request:
    """A chat call with a key."""
    body = b'{"model":"meadow/lark-mini","max_completion_tokens":50,"messages":[{"role":"user","content":"%b"}]}'
    return Request(
        method="POST",
        base_url=base_url,
        path="/chat/completions",
        body=body % prompt.encode(),
        headers={"Content-Type": "application/json"},
        bearer=Secret(KEY),
        max_reply_bytes=most,
        id_header="x-generation-id",
    )


def question(base_url: str) -> Request:
    """A call without a body, which leaves in one piece."""
    return Request(method="GET", base_url=base_url, path="/key", bearer=Secret(KEY))


@contextmanager
def tcp_server(talk: Callable[[socket.socket, int], None]) -> Iterator[tuple[str, list[bytes]]]:
    """A server that reads one request of each connection, notes it, and lets `talk` answer the nth."""
    heard: list[bytes] = []
    opened: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                opened.append(connection)
                with connection:
                    heard.append(connection.recv(65_536))
                    talk(connection, len(heard))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", heard
        for each in (listener, *opened):
            with suppress(OSError):  # it may be closed already
                each.shutdown(socket.SHUT_RDWR)
    thread.join(HANG_SECONDS)


def failure_of(upstream: HttpUpstream, request: Request, seconds: float = HANG_SECONDS) -> Failure:
    """How a call fails; it must."""
    with pytest.raises(Failure) as caught:
        exchange(upstream, request, seconds=seconds)
    return caught.value


def test_a_request_goes_out_as_it_is(upstream: HttpUpstream, fake: FakeOpenRouter) -> None:
    reply = exchange(upstream, chat(fake.url), seconds=HANG_SECONDS)
    assert reply.status == 200
    assert reply.headers["x-generation-id"].startswith("gen-")
    (arrival,) = fake.chat_requests
    assert arrival.headers["authorization"] == f"Bearer {KEY}"
    assert arrival.headers["accept-encoding"] == "identity"
    assert arrival.body == chat(fake.url).body


def test_a_service_can_be_reached_elsewhere(fake: FakeOpenRouter) -> None:
    upstream = HttpUpstream({"openrouter": fake.url}.__getitem__)
    reply = exchange(upstream, replace(question(""), base_url=None, integration="openrouter"), seconds=HANG_SECONDS)
    upstream.close()
    assert reply.status == 200
    assert fake.requests[0].path == "/api/v1/key"


def test_bytes_are_not_touched(upstream: HttpUpstream, fake: FakeOpenRouter) -> None:
    body = bytes(range(256)) * 40
    fake.script(418, body, {"X-Odd": "1"}, chunks=[body[:7], body[7:]])
    reply = exchange(upstream, chat(fake.url), seconds=HANG_SECONDS)
    assert (reply.status, reply.body, reply.headers["x-odd"]) == (418, body, "1")


def test_connections_are_used_again(upstream: HttpUpstream) -> None:
    connections: list[int] = []

    def talk(connection: socket.socket, number: int) -> None:
        connections.append(number)
        for _ in range(2):
            connection.sendall(ANSWER)
            connection.recv(65_536)
        connection.sendall(ANSWER)

    with tcp_server(talk) as (url, _):
        for _ in range(3):
            exchange(upstream, question(url), seconds=HANG_SECONDS)
    assert connections == [1]


def test_a_connection_that_was_closed_meanwhile_does_no_harm(upstream: HttpUpstream) -> None:
    closed = threading.Semaphore(0)

    def talk(connection: socket.socket, number: int) -> None:
        connection.sendall(ANSWER)
        connection.close()  # although it never said that it would
        closed.release()

    with tcp_server(talk) as (url, heard):
        for _ in range(5):
            assert exchange(upstream, question(url), seconds=HANG_SECONDS) == Reply(
                status=200, body=b"{}", headers={"content-length": "2"}
            )
            assert closed.acquire(timeout=HANG_SECONDS)
    assert len(heard) == 5


def test_no_connection_means_that_nothing_was_sent(upstream: HttpUpstream) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    for url in (f"http://127.0.0.1:{port}", "http://no-such-host.invalid", "ftp://127.0.0.1"):
        failure = failure_of(upstream, chat(url))
        assert type(failure.error) is UpstreamUnavailable
        assert failure.error.retryable
        assert not failure.outcome_unknown


def test_without_time_nothing_is_sent(upstream: HttpUpstream) -> None:
    with tcp_server(lambda connection, number: None) as (url, heard):
        for seconds in (0, -3):
            failure = failure_of(upstream, chat(url), seconds=seconds)
            assert type(failure.error) is UpstreamUnavailable
            assert not failure.outcome_unknown
        assert heard == []


BROKEN: dict[str, type[InstantError]] = {
    "hang-up": OutcomeUnknown,
    "reset": OutcomeUnknown,
    "truncated": OutcomeUnknown,
    "gzip": UpstreamError,
}


@pytest.mark.parametrize("fault", BROKEN)
def test_an_answer_that_breaks_off_may_have_been_paid(upstream: HttpUpstream, fake: FakeOpenRouter, fault: str) -> None:
    fake.answer_next(fault)
    failure = failure_of(upstream, chat(fake.url))
    assert type(failure.error) is BROKEN[fault]
    assert failure.outcome_unknown
    assert not failure.error.retryable
    assert len(fake.chat_requests) == 1


@pytest.mark.parametrize("fault", ["drip", "drip-headers", "silence"])
def test_one_deadline_holds_over_everything(short_timeout: HttpUpstream, fake: FakeOpenRouter, fault: str) -> None:
    gate = threading.Event()
    if fault == "silence":
        drip: list[Step] = [Pause(), b" "] * 1_000
        fake.script(200, chunks=[gate, *drip])
    else:
        fake.answer_next(fault)
    failure = failure_of(short_timeout, chat(fake.url), seconds=0.5)
    gate.set()
    assert type(failure.error) is DeadlineExceeded
    assert failure.outcome_unknown
    assert not failure.error.retryable
    assert fake.wait_for_hang_up()
    assert len(fake.chat_requests) == 1


def test_a_deadline_ends_with_its_call(short_timeout: HttpUpstream, fake: FakeOpenRouter) -> None:
    fake.answer_next("drip")
    assert type(failure_of(short_timeout, chat(fake.url), seconds=0.3).error) is DeadlineExceeded
    fake.answer_next("slow 0.5")
    assert exchange(short_timeout, chat(fake.url), seconds=HANG_SECONDS).status == 200


def test_calls_of_two_threads_have_their_own_deadlines(short_timeout: HttpUpstream, fake: FakeOpenRouter) -> None:
    gate = threading.Event()
    fake.script(200, chunks=[gate, b"{}"])
    with ThreadPoolExecutor(1) as threads:
        patient = threads.submit(exchange, short_timeout, chat(fake.url), seconds=HANG_SECONDS)
        assert fake.wait_for_chats()
        failure = failure_of(short_timeout, chat(fake.url, prompt="[[fake: drip]]"), seconds=0.3)
        gate.set()
        assert patient.result().status == 200
    assert type(failure.error) is DeadlineExceeded


@pytest.mark.parametrize("length", [1_000, 1_001])
def test_the_size_is_capped_to_the_byte(upstream: HttpUpstream, fake: FakeOpenRouter, length: int) -> None:
    fake.script(200, b"x" * length)
    if length <= 1_000:
        assert len(exchange(upstream, chat(fake.url, most=1_000), seconds=HANG_SECONDS).body) == length
    else:
        failure = failure_of(upstream, chat(fake.url, most=1_000))
        assert type(failure.error) is UpstreamError
        assert failure.outcome_unknown


def test_an_endless_body_is_cut_off_early(upstream: HttpUpstream, fake: FakeOpenRouter) -> None:
    fake.script(200, chunks=[b"x" * 65_536] * 5_000)
    failure = failure_of(upstream, chat(fake.url, most=1_000_000))
    assert type(failure.error) is UpstreamError
    assert failure.outcome_unknown
    assert fake.wait_for_hang_up()


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate", "zstd", "gzip, gzip", "x-unheard-of"])
def test_every_coding_is_refused_unread(upstream: HttpUpstream, fake: FakeOpenRouter, coding: str) -> None:
    fake.script(200, b"not really compressed", {"Content-Encoding": coding})
    failure = failure_of(upstream, chat(fake.url))
    assert type(failure.error) is UpstreamError
    assert failure.outcome_unknown


NAMED = {"X-Generation-Id": "gen-7"}


def test_the_call_s_name_is_kept_when_its_answer_is_too_long(upstream: HttpUpstream, fake: FakeOpenRouter) -> None:
    fake.script(200, b"x" * 1_001, NAMED)
    assert failure_of(upstream, chat(fake.url, most=1_000)).receipt == Receipt(generation_id="gen-7")


def test_the_call_s_name_is_kept_when_its_answer_is_compressed(upstream: HttpUpstream, fake: FakeOpenRouter) -> None:
    fake.script(200, b"?", {**NAMED, "Content-Encoding": "gzip"})
    assert failure_of(upstream, chat(fake.url)).receipt == Receipt(generation_id="gen-7")


@pytest.mark.parametrize(("ending", "kind"), [("cut", OutcomeUnknown), ("drip", DeadlineExceeded)], ids=["cut", "drip"])
def test_the_call_s_name_is_kept_when_its_answer_does_not_end(ending: str, kind: type[InstantError]) -> None:
    over, upstream = threading.Event(), HttpUpstream(clock=TickingClock(HANG_SECONDS / 30))

    def talk(connection: socket.socket, _: int) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nX-Generation-Id: gen-7\r\nContent-Length: 99999\r\n\r\n{")
        with suppress(OSError):  # the client has left
            while ending == "drip" and not over.wait(0.01):
                connection.sendall(b" ")

    with tcp_server(talk) as (url, _):
        failure = failure_of(upstream, chat(url), seconds=HANG_SECONDS)
        over.set()
    upstream.close()
    assert (type(failure.error), failure.receipt) == (kind, Receipt(generation_id="gen-7"))
    assert failure.outcome_unknown


def test_before_the_headers_a_call_has_no_name(short_timeout: HttpUpstream, fake: FakeOpenRouter) -> None:
    for fault in ("hang-up", "drip-headers"):
        fake.answer_next(fault)
        assert failure_of(short_timeout, chat(fake.url), seconds=0.3).receipt == Receipt()


@pytest.mark.parametrize(("idle", "connections"), [(4.9, 1), (5.1, 2), (900, 2)])
def test_connections_that_lay_idle_too_long_are_not_used(idle: float, connections: int) -> None:
    """While an environment is frozen its sockets' own clock stands still, and only the boot clock goes on."""
    clock, opened = FakeClock(), list[int]()
    upstream = HttpUpstream(clock=clock)

    def talk(connection: socket.socket, number: int) -> None:
        opened.append(number)
        connection.sendall(ANSWER)
        if connection.recv(65_536):
            connection.sendall(ANSWER)

    with tcp_server(talk) as (url, _):
        exchange(upstream, question(url), seconds=HANG_SECONDS)
        clock.pass_seconds(idle)
        assert exchange(upstream, question(url), seconds=HANG_SECONDS).status == 200
    upstream.close()
    assert len(opened) == connections


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(upstream: HttpUpstream, fake: FakeOpenRouter, status: int) -> None:
    fake.script(status, b"", {"Location": f"{fake.url}/key"})
    assert exchange(upstream, chat(fake.url), seconds=HANG_SECONDS).status == status
    assert len(fake.requests) == 1


def test_cookies_are_not_carried_from_one_call_to_the_next(upstream: HttpUpstream, fake: FakeOpenRouter) -> None:
    fake.script(200, b"{}", {"Set-Cookie": "session=alice; Path=/"})
    exchange(upstream, chat(fake.url), seconds=HANG_SECONDS)
    exchange(upstream, chat(fake.url), seconds=HANG_SECONDS)
    assert ["cookie" in arrival.headers for arrival in fake.chat_requests] == [False, False]


def test_the_environment_s_proxies_are_not_used(fake: FakeOpenRouter, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    upstream = HttpUpstream()
    assert exchange(upstream, chat(fake.url), seconds=HANG_SECONDS).status == 200
    upstream.close()


@pytest.mark.parametrize("number", [0, 200_000])
def test_odd_headers_are_survived(upstream: HttpUpstream, number: int) -> None:
    def talk(connection: socket.socket, _: int) -> None:
        connection.sendall(ANSWER if number == 0 else b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * number)

    with tcp_server(talk) as (url, heard):
        if number == 0:
            assert exchange(upstream, question(url), seconds=HANG_SECONDS).status == 200
        else:
            assert type(failure_of(upstream, question(url)).error) is OutcomeUnknown
    assert len(heard) == 1


def test_what_is_no_http_may_have_been_paid(upstream: HttpUpstream) -> None:
    with tcp_server(lambda connection, _: connection.sendall(b"220 mail.example ESMTP\r\n")) as (url, heard):
        assert type(failure_of(upstream, question(url)).error) is OutcomeUnknown
    assert len(heard) == 1


@pytest.mark.parametrize("wish", ["error 500", "error 503", "error 429", "hang-up", "reset", "truncated", "not-json"])
def test_nothing_is_ever_sent_twice(upstream: HttpUpstream, fake: FakeOpenRouter, wish: str) -> None:
    fake.answer_next(wish)
    with suppress(Failure):
        exchange(upstream, chat(fake.url), seconds=HANG_SECONDS)
    assert len(fake.chat_requests) == 1


def test_no_key_is_in_any_log_or_exception(
    short_timeout: HttpUpstream, fake: FakeOpenRouter, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("", "httpx", "httpcore", "httpcore.http11", "httpcore.connection", "instant"):
        caplog.set_level(logging.DEBUG, logger=name)
    shown = []
    for wish in ("shred", "error 401", "hang-up", "reset", "truncated", "gzip", "drip", "drip-headers"):
        fake.answer_next(wish)
        try:
            exchange(short_timeout, chat(fake.url), seconds=0.3 if "drip" in wish else HANG_SECONDS)
        except Failure as failure:
            shown += [*traceback.format_exception(failure), repr(failure), str(failure.error.body())]
    shown += traceback.format_exception(failure_of(short_timeout, chat("http://127.0.0.1:1")))
    shown += [caplog.text, *(str(record.__dict__) for record in caplog.records)]
    assert len(caplog.records) > 20
    assert "canary" not in "\n".join(shown)


def test_a_service_that_repeats_the_key_does_not_get_it_any_further(
    upstream: HttpUpstream, fake: FakeOpenRouter
) -> None:
    said = f'{{"your key": "{KEY}", "header": "Bearer {KEY}"}}'
    fake.script(200, said.encode(), {"X-Generation-Id": KEY, "X-Key": f"Bearer {KEY}"})
    reply = exchange(upstream, chat(fake.url), seconds=HANG_SECONDS)
    assert reply.body == b'{"your key": "[key]", "header": "Bearer [key]"}'
    assert (reply.headers["x-generation-id"], reply.headers["x-key"]) == ("[key]", "Bearer [key]")
    fake.script(200, said.encode(), {"X-Generation-Id": KEY}, cut=True)
    with pytest.raises(Failure) as caught:
        exchange(upstream, chat(fake.url), seconds=HANG_SECONDS)
    assert caught.value.receipt == Receipt(generation_id="[key]")


def test_a_library_s_own_words_go_no_further(
    upstream: HttpUpstream, fake: FakeOpenRouter, caplog: pytest.LogCaptureFixture
) -> None:
    unwritable = replace(question(fake.url), bearer=Secret(f"{KEY}-é"))
    with pytest.raises(Failure) as caught:
        exchange(upstream, unwritable, seconds=HANG_SECONDS)
    assert "canary" in repr(caught.value.__context__), "httpx tells the whole header"
    told = "".join(traceback.format_exception(caught.value))
    assert "canary" not in told + caplog.text + "".join(repr(vars(record)) for record in caplog.records)
    assert "UnicodeEncodeError" in repr(vars(caplog.records[-1]))
