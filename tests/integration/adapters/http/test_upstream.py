"""HTTP requests over real sockets: one deadline, a size limit, no retry, and the key only in the request."""

import logging
import socket
import threading
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import pytest

from instant.adapters.http.upstream import HttpUpstream
from instant.domain.errors import (
    DeadlineExceeded,
    InstantError,
    OutcomeUnknown,
    TooLarge,
    UpstreamError,
    UpstreamUnavailable,
)
from instant.domain.exchange import Request
from instant.domain.executions.failure import Failure
from instant.domain.executions.receipt import Receipt
from instant.domain.secret import Secret
from instant.ports.upstream import ask, exchange
from tests.fakes.clock import TickingClock
from tests.fakes.openrouter import FakeOpenRouter
from tests.fakes.openrouter.script import Pause, Step
from tests.integration.tcp_server import tcp_server
from tests.timeouts import HANG_SECONDS

KEY = "sk-or-v1-" + "canary42" * 8
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@pytest.fixture
def fake() -> Iterator[FakeOpenRouter]:
    with FakeOpenRouter() as running:
        yield running


@pytest.fixture(scope="module")
def upstream() -> Iterator[HttpUpstream]:
    """One client for the whole module, as in a Lambda environment."""
    made = HttpUpstream()
    yield made
    made.close()


@pytest.fixture(scope="module")
def short_timeout() -> Iterator[HttpUpstream]:
    """A client whose clock advances by 10 ms with each reading."""
    made = HttpUpstream(clock=TickingClock(0.01))
    yield made
    made.close()


def chat(base_url: str, most: int = 1_000_000, prompt: str = "Hello") -> Request:
    """Return a chat request with a key."""
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
    """Return a request without a body, which is sent in one piece."""
    return Request(method="GET", base_url=base_url, path="/key", bearer=Secret(KEY))


def failure_of(upstream: HttpUpstream, request: Request, seconds: float = HANG_SECONDS) -> Failure:
    """Return the error of a call that must fail."""
    with pytest.raises(Failure) as caught:
        exchange(upstream, request, seconds=seconds)
    return caught.value


def test_request_is_sent_unchanged(upstream: HttpUpstream, fake: FakeOpenRouter) -> None:
    reply = exchange(upstream, chat(fake.url), seconds=HANG_SECONDS)
    assert reply.status == 200
    assert reply.headers["x-generation-id"].startswith("gen-")
    (arrival,) = fake.chat_requests
    assert arrival.headers["authorization"] == f"Bearer {KEY}"
    assert arrival.headers["accept-encoding"] == "identity"
    assert arrival.body == chat(fake.url).body


def test_base_url_is_configurable(fake: FakeOpenRouter) -> None:
    upstream = HttpUpstream({"openrouter": fake.url}.__getitem__)
    reply = exchange(upstream, replace(question(""), base_url=None, integration="openrouter"), seconds=HANG_SECONDS)
    upstream.close()
    assert reply.status == 200
    assert fake.requests[0].path == "/api/v1/key"


def test_bytes_are_sent_and_returned_unchanged(upstream: HttpUpstream, fake: FakeOpenRouter) -> None:
    body = bytes(range(256)) * 40
    fake.script(418, body, {"X-Odd": "1", "Content-Type": "image/png"}, chunks=[body[:7], body[7:]])
    reply = exchange(upstream, chat(fake.url), seconds=HANG_SECONDS)
    assert (reply.status, reply.body, reply.headers["x-odd"]) == (418, body, "1")


@pytest.mark.parametrize(("name", "encoding"), [("é", "latin-1"), ("e", "utf-16"), ("e", "utf-16-le")])
@pytest.mark.parametrize("kind", ["application/json", "text/html; charset=utf-8", "application/problem+json", ""])
def test_text_that_is_not_utf8_has_an_unknown_outcome(
    upstream: HttpUpstream, fake: FakeOpenRouter, name: str, encoding: str, kind: str
) -> None:
    fake.script(200, f'{{"name": "{name}"}}'.encode(encoding), {"Content-Type": kind})
    with pytest.raises(Failure, match="UTF-8") as caught:
        exchange(upstream, chat(fake.url), seconds=HANG_SECONDS)
    assert caught.value.outcome_unknown


def test_connection_failure_has_a_known_outcome(upstream: HttpUpstream) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    for url in (f"http://127.0.0.1:{port}", "http://no-such-host.invalid", "ftp://127.0.0.1"):
        failure = failure_of(upstream, chat(url))
        assert type(failure.error) is UpstreamUnavailable
        assert failure.error.retryable
        assert not failure.outcome_unknown


def test_expired_deadline_sends_nothing(upstream: HttpUpstream) -> None:
    with tcp_server(lambda connection, number: None) as (url, received):
        for seconds in (0, -3):
            failure = failure_of(upstream, chat(url), seconds=seconds)
            assert type(failure.error) is UpstreamUnavailable
            assert not failure.outcome_unknown
        assert received == []


BROKEN: dict[str, type[InstantError]] = {
    "hang-up": OutcomeUnknown,
    "reset": OutcomeUnknown,
    "truncated": OutcomeUnknown,
    "gzip": UpstreamError,
}


@pytest.mark.parametrize("fault", BROKEN)
def test_interrupted_response_has_an_unknown_outcome(upstream: HttpUpstream, fake: FakeOpenRouter, fault: str) -> None:
    fake.answer_next(fault)
    failure = failure_of(upstream, chat(fake.url))
    assert type(failure.error) is BROKEN[fault]
    assert failure.outcome_unknown
    assert not failure.error.retryable
    assert len(fake.chat_requests) == 1


@pytest.mark.parametrize("fault", ["drip", "drip-headers", "silence"])
def test_one_deadline_covers_the_whole_call(short_timeout: HttpUpstream, fake: FakeOpenRouter, fault: str) -> None:
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


def test_deadline_does_not_affect_the_next_call(short_timeout: HttpUpstream, fake: FakeOpenRouter) -> None:
    fake.answer_next("drip")
    assert type(failure_of(short_timeout, chat(fake.url), seconds=0.3).error) is DeadlineExceeded
    fake.answer_next("slow 0.5")
    assert exchange(short_timeout, chat(fake.url), seconds=HANG_SECONDS).status == 200


def test_threads_have_separate_deadlines(short_timeout: HttpUpstream, fake: FakeOpenRouter) -> None:
    gate = threading.Event()
    fake.script(200, chunks=[gate, b"{}"])
    with ThreadPoolExecutor(1) as threads:
        slow_call = threads.submit(exchange, short_timeout, chat(fake.url), seconds=HANG_SECONDS)
        assert fake.wait_for_chats()
        failure = failure_of(short_timeout, chat(fake.url, prompt="[[fake: drip]]"), seconds=0.3)
        gate.set()
        assert slow_call.result().status == 200
    assert type(failure.error) is DeadlineExceeded


@pytest.mark.parametrize("length", [1_000, 1_001])
def test_response_size_limit_is_exact(upstream: HttpUpstream, fake: FakeOpenRouter, length: int) -> None:
    fake.script(200, b"x" * length)
    if length <= 1_000:
        assert len(exchange(upstream, chat(fake.url, most=1_000), seconds=HANG_SECONDS).body) == length
    else:
        failure = failure_of(upstream, chat(fake.url, most=1_000))
        assert type(failure.error) is TooLarge
        assert failure.error.details == {"limit": "answer_bytes", "most": 1_000}
        assert failure.outcome_unknown
        assert failure.is_counted


def test_oversized_reply_to_a_free_request_is_an_error_of_the_service(
    upstream: HttpUpstream, fake: FakeOpenRouter
) -> None:
    fake.script(200, b"x" * 1_001)
    with pytest.raises(UpstreamError, match="longer than 1000 bytes"):
        ask(upstream, chat(fake.url, most=1_000), seconds=HANG_SECONDS)


def test_endless_body_is_aborted_at_the_size_limit(upstream: HttpUpstream, fake: FakeOpenRouter) -> None:
    fake.script(200, chunks=[b"x" * 65_536] * 5_000)
    failure = failure_of(upstream, chat(fake.url, most=1_000_000))
    assert type(failure.error) is TooLarge
    assert failure.outcome_unknown
    assert fake.wait_for_hang_up()


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate", "zstd", "gzip, gzip", "x-unheard-of"])
def test_content_encodings_are_rejected(upstream: HttpUpstream, fake: FakeOpenRouter, coding: str) -> None:
    fake.script(200, b"not really compressed", {"Content-Encoding": coding})
    failure = failure_of(upstream, chat(fake.url))
    assert type(failure.error) is UpstreamError
    assert failure.outcome_unknown


WITH_ID = {"X-Generation-Id": "gen-7"}


def test_oversized_response_keeps_its_generation_id(upstream: HttpUpstream, fake: FakeOpenRouter) -> None:
    fake.script(200, b"x" * 1_001, WITH_ID)
    assert failure_of(upstream, chat(fake.url, most=1_000)).receipt == Receipt(generation_id="gen-7")


def test_compressed_response_keeps_its_generation_id(upstream: HttpUpstream, fake: FakeOpenRouter) -> None:
    fake.script(200, b"?", {**WITH_ID, "Content-Encoding": "gzip"})
    assert failure_of(upstream, chat(fake.url)).receipt == Receipt(generation_id="gen-7")


@pytest.mark.parametrize(("ending", "kind"), [("cut", OutcomeUnknown), ("drip", DeadlineExceeded)], ids=["cut", "drip"])
def test_endless_response_keeps_its_generation_id(ending: str, kind: type[InstantError]) -> None:
    over, upstream = threading.Event(), HttpUpstream(clock=TickingClock(HANG_SECONDS / 30))

    def respond(connection: socket.socket, _: int) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nX-Generation-Id: gen-7\r\nContent-Length: 99999\r\n\r\n{")
        with suppress(OSError):  # the client has disconnected
            while ending == "drip" and not over.wait(0.01):
                connection.sendall(b" ")

    with tcp_server(respond) as (url, _):
        failure = failure_of(upstream, chat(url), seconds=HANG_SECONDS)
        over.set()
    upstream.close()
    assert (type(failure.error), failure.receipt) == (kind, Receipt(generation_id="gen-7"))
    assert failure.outcome_unknown


def test_failure_before_the_headers_has_no_generation_id(short_timeout: HttpUpstream, fake: FakeOpenRouter) -> None:
    for fault in ("hang-up", "drip-headers"):
        fake.answer_next(fault)
        assert failure_of(short_timeout, chat(fake.url), seconds=0.3).receipt == Receipt()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(upstream: HttpUpstream, fake: FakeOpenRouter, status: int) -> None:
    fake.script(status, b"", {"Location": f"{fake.url}/key"})
    assert exchange(upstream, chat(fake.url), seconds=HANG_SECONDS).status == status
    assert len(fake.requests) == 1


def test_cookies_are_not_kept_between_calls(upstream: HttpUpstream, fake: FakeOpenRouter) -> None:
    fake.script(200, b"{}", {"Set-Cookie": "session=alice; Path=/"})
    exchange(upstream, chat(fake.url), seconds=HANG_SECONDS)
    exchange(upstream, chat(fake.url), seconds=HANG_SECONDS)
    assert ["cookie" in arrival.headers for arrival in fake.chat_requests] == [False, False]


def test_proxies_of_the_environment_are_ignored(fake: FakeOpenRouter, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    upstream = HttpUpstream()
    assert exchange(upstream, chat(fake.url), seconds=HANG_SECONDS).status == 200
    upstream.close()


@pytest.mark.parametrize("number", [0, 200_000])
def test_unusual_headers_are_accepted(upstream: HttpUpstream, number: int) -> None:
    def respond(connection: socket.socket, _: int) -> None:
        connection.sendall(ANSWER if number == 0 else b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * number)

    with tcp_server(respond) as (url, received):
        if number == 0:
            assert exchange(upstream, question(url), seconds=HANG_SECONDS).status == 200
        else:
            assert type(failure_of(upstream, question(url)).error) is OutcomeUnknown
    assert len(received) == 1


def test_non_http_response_has_an_unknown_outcome(upstream: HttpUpstream) -> None:
    with tcp_server(lambda connection, _: connection.sendall(b"220 mail.example ESMTP\r\n")) as (url, received):
        assert type(failure_of(upstream, question(url)).error) is OutcomeUnknown
    assert len(received) == 1


@pytest.mark.parametrize("fault", ["error 500", "error 503", "error 429", "hang-up", "reset", "truncated", "not-json"])
def test_requests_are_never_retried(upstream: HttpUpstream, fake: FakeOpenRouter, fault: str) -> None:
    fake.answer_next(fault)
    with suppress(Failure):
        exchange(upstream, chat(fake.url), seconds=HANG_SECONDS)
    assert len(fake.chat_requests) == 1


def test_logs_and_exceptions_do_not_contain_the_key(
    short_timeout: HttpUpstream, fake: FakeOpenRouter, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("", "httpx", "httpcore", "httpcore.http11", "httpcore.connection", "instant"):
        caplog.set_level(logging.DEBUG, logger=name)
    shown = []
    for fault in ("shred", "error 401", "hang-up", "reset", "truncated", "gzip", "drip", "drip-headers"):
        fake.answer_next(fault)
        try:
            exchange(short_timeout, chat(fake.url), seconds=0.3 if "drip" in fault else HANG_SECONDS)
        except Failure as failure:
            shown += [*traceback.format_exception(failure), repr(failure), str(failure.error.body())]
    shown += traceback.format_exception(failure_of(short_timeout, chat("http://127.0.0.1:1")))
    shown += [caplog.text, *(str(record.__dict__) for record in caplog.records)]
    assert len(caplog.records) > 20
    assert "canary" not in "\n".join(shown)


def test_key_echoed_by_the_service_is_redacted(upstream: HttpUpstream, fake: FakeOpenRouter) -> None:
    body = f'{{"your key": "{KEY}", "header": "Bearer {KEY}"}}'
    fake.script(200, body.encode(), {"X-Generation-Id": KEY, "X-Key": f"Bearer {KEY}"})
    reply = exchange(upstream, chat(fake.url), seconds=HANG_SECONDS)
    assert reply.body == b'{"your key": "[key]", "header": "Bearer [key]"}'
    assert (reply.headers["x-generation-id"], reply.headers["x-key"]) == ("[key]", "Bearer [key]")
    fake.script(200, body.encode(), {"X-Generation-Id": KEY}, cut=True)
    with pytest.raises(Failure) as caught:
        exchange(upstream, chat(fake.url), seconds=HANG_SECONDS)
    assert caught.value.receipt == Receipt(generation_id="[key]")


def test_library_error_messages_are_not_returned_or_logged(
    upstream: HttpUpstream, fake: FakeOpenRouter, caplog: pytest.LogCaptureFixture
) -> None:
    unencodable = replace(question(fake.url), bearer=Secret(f"{KEY}-é"))
    with pytest.raises(Failure) as caught:
        exchange(upstream, unencodable, seconds=HANG_SECONDS)
    assert "canary" in repr(caught.value.__context__), "the httpx error contains the header"
    shown = "".join(traceback.format_exception(caught.value))
    assert "canary" not in shown + caplog.text + "".join(repr(vars(record)) for record in caplog.records)
    assert "UnicodeEncodeError" in repr(vars(caplog.records[-1]))
