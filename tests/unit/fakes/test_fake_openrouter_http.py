"""The fake HTTP server: scripts sent byte for byte, and connections that are aborted."""

import gzip
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests.fakes.openrouter import FakeOpenRouter
from tests.timeouts import HANG_SECONDS
from tests.unit.fakes.conftest import Ask

RECORDED = Path(__file__).parents[4] / "shared" / "data" / "openrouter" / "recorded"


@pytest.fixture
def background() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


def test_http_records_received_requests(openrouter: FakeOpenRouter, client: httpx.Client, ask: Ask) -> None:
    client.get("/models?q=lark&limit=3")
    ask("Hello", user="somebody")
    listing, chat = openrouter.requests
    assert (listing.method, listing.path, listing.query) == ("GET", "/api/v1/models", {"q": "lark", "limit": "3"})
    assert (chat.json["user"], chat.headers["content-type"]) == ("somebody", "application/json")
    assert openrouter.chat_requests == [chat]
    assert listing.at <= chat.at
    openrouter.forget_requests()
    assert openrouter.requests == []


def test_http_keeps_connections_alive(client: httpx.Client, ask: Ask) -> None:
    ports = {ask("Hello").extensions["network_stream"].get_extra_info("client_addr")[1] for _ in range(3)}
    assert len(ports) == 1


def test_http_returns_404_for_an_unknown_path(client: httpx.Client) -> None:
    assert client.get("/nothing").json() == {"error": {"message": "Resource not found", "code": 404}}
    assert client.get("/chat/completions").status_code == 404


def test_http_sends_a_script_byte_for_byte(openrouter: FakeOpenRouter, ask: Ask) -> None:
    openrouter.script(524, b"<html>\xff", {"Content-Type": "text/html", "CF-Ray": "1"})
    answer = ask("Hello", model="nobody/nothing")
    assert (answer.status_code, answer.content, answer.headers["CF-Ray"]) == (524, b"<html>\xff", "1")
    assert ask("Hello").json()["object"] == "chat.completion"


@pytest.mark.skipif(not RECORDED.exists(), reason="the recordings are not here")
def test_http_replays_recordings(openrouter: FakeOpenRouter, ask: Ask) -> None:
    recorded = [path.read_bytes() for path in sorted(RECORDED.glob("*.response.*"))]
    for body in recorded:
        openrouter.script(body=body)
    assert [ask("Hello").content for _ in recorded] == recorded


def test_http_script_waits_for_its_event(openrouter: FakeOpenRouter, client: httpx.Client) -> None:
    gate = threading.Event()
    openrouter.script(headers={"Content-Type": "text/event-stream"}, chunks=[b"data: 1\n\n", gate, b"data: 2\n\n"])
    with client.stream("POST", "/chat/completions", json={}) as answer:
        pieces = answer.iter_raw()
        assert next(pieces) == b"data: 1\n\n"
        gate.set()
        assert b"".join(pieces) == b"data: 2\n\n"


def test_http_script_closes_the_connection_early(openrouter: FakeOpenRouter, ask: Ask) -> None:
    openrouter.script(chunks=[b'{"id":'], cut=True)
    with pytest.raises(httpx.RemoteProtocolError, match="incomplete chunked read"):
        ask("Hello")


@pytest.mark.parametrize(
    ("text", "failure"),
    [
        ("truncated", httpx.RemoteProtocolError),
        ("hang-up", httpx.RemoteProtocolError),
        ("reset", httpx.ReadError),
    ],
)
@pytest.mark.parametrize("streams", [False, True])
def test_http_breaks_connections_on_request(ask: Ask, text: str, failure: type[Exception], streams: bool) -> None:
    with pytest.raises(failure):
        ask(f"Hello [[fake: {text}]]", stream=streams)
    assert ask("Hello").status_code == 200


@pytest.mark.parametrize(("streams", "line"), [(False, b"         "), (True, b": OPENROUTER PROCESSING")])
def test_http_endless_reply_ends_when_the_client_disconnects(
    openrouter: FakeOpenRouter, client: httpx.Client, streams: bool, line: bytes
) -> None:
    body = {"model": "meadow/lark", "stream": streams, "messages": [{"role": "user", "content": "[[fake: drip]]"}]}
    with client.stream("POST", "/chat/completions", json=body) as answer:
        pieces = answer.iter_raw()
        assert all(line in next(pieces) for _ in range(3))
    assert openrouter.wait_for_hang_up()
    assert openrouter.hang_ups == openrouter.chat_requests


def test_http_sends_endless_headers_on_request(openrouter: FakeOpenRouter) -> None:
    address = httpx.URL(openrouter.url)
    openrouter.answer_next("drip-headers")
    body = b'{"model":"meadow/lark","messages":[{"role":"user","content":"Hello"}]}'
    head = "POST /api/v1/chat/completions HTTP/1.1\r\nAuthorization: Bearer sk-or-v1-0123456789\r\nContent-Length: "
    with socket.create_connection((address.host, address.port or 0), timeout=HANG_SECONDS) as raw:
        raw.sendall(head.encode() + b"%d\r\n\r\n" % len(body) + body)
        received = raw.makefile("rb")
        assert [received.readline() for _ in range(3)] == [b"HTTP/1.1 200 OK\r\n", b"X-Drip: 0\r\n", b"X-Drip: 1\r\n"]
        received.close()
    assert openrouter.wait_for_hang_up()


def test_http_sends_gzip_regardless_of_accept_encoding(client: httpx.Client) -> None:
    body = {"model": "meadow/lark", "messages": [{"role": "user", "content": "[[fake: gzip]]"}]}
    identity = {"Accept-Encoding": "identity"}
    with client.stream("POST", "/chat/completions", json=body, headers=identity) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        assert b"chat.completion" in gzip.decompress(b"".join(answer.iter_raw()))


def test_http_fragments_join_to_the_complete_reply(ask: Ask) -> None:
    answer = ask("Wo bleibt die Flut? Ä Ö Ü [[fake: shred]]", stream=True)
    assert "Wo bleibt die" in answer.text
    assert answer.text.endswith("data: [DONE]\n\n")


def test_http_stop_aborts_a_delayed_reply(background: ThreadPoolExecutor) -> None:
    openrouter = FakeOpenRouter().start()
    body = {"model": "meadow/lark", "messages": [{"role": "user", "content": "[[fake: slow 60]]"}]}
    headers = {"Authorization": "Bearer sk-or-v1-0123456789"}
    with httpx.Client(base_url=openrouter.url, headers=headers, timeout=HANG_SECONDS, verify=False) as client:
        waiting = background.submit(client.post, "/chat/completions", json=body)
        assert openrouter.wait_for_chats()
        assert not waiting.done()
        openrouter.stop()
        assert isinstance(waiting.exception(HANG_SECONDS), httpx.TransportError)


def test_http_stop_aborts_a_waiting_script(background: ThreadPoolExecutor) -> None:
    openrouter = FakeOpenRouter().start()
    openrouter.script(chunks=[threading.Event(), b"never"])
    with httpx.Client(base_url=openrouter.url, timeout=HANG_SECONDS, verify=False) as client:
        waiting = background.submit(client.post, "/chat/completions", json={})
        assert openrouter.wait_for_chats()
        openrouter.stop()
        assert isinstance(waiting.exception(HANG_SECONDS), httpx.TransportError)


def test_http_replies_after_a_short_delay(ask: Ask) -> None:
    assert ask("Hello [[fake: slow 0.01]] [[fake: error 503 0]]").status_code == 503


def test_http_wait_returns_false_on_timeout() -> None:
    with FakeOpenRouter() as openrouter:
        assert not openrouter.wait_for_chats(timeout=0.01)
        assert not openrouter.wait_for_hang_up(timeout=0.01)


def test_http_stop_before_start_releases_the_port() -> None:
    first = FakeOpenRouter()
    port = httpx.URL(first.url).port or 0
    first.stop()
    with FakeOpenRouter(port) as second:
        assert second.url == first.url


def test_request_before_a_reset_is_not_recorded_after_it(openrouter: FakeOpenRouter, client: httpx.Client) -> None:
    address = client.base_url.host, client.base_url.port
    with (
        socket.create_connection(address, HANG_SECONDS) as sent,
        socket.create_connection(address, HANG_SECONDS) as half,
    ):
        sent.sendall(b"GET /api/v1/models HTTP/1.1\r\nHost: a\r\n\r\n")
        half.sendall(b"GET /api/v1/models HTTP/1.1\r\nHost: a\r\n")
        openrouter.begin_again()
        with suppress(OSError):
            half.sendall(b"\r\n")
        with suppress(OSError):
            assert half.recv(1) == b""
    assert client.get("/models/count").status_code == 200
    assert [request.path for request in openrouter.requests] == ["/api/v1/models/count"]
