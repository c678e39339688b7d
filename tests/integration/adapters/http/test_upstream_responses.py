"""An open response has its headers; its body is read as a stream, within one deadline."""

import threading
from collections.abc import Iterator

import pytest

from instant.adapters.http.upstream import HttpUpstream
from instant.domain.errors import DeadlineExceeded, InstantError, OutcomeUnknown, UpstreamError
from instant.domain.exchange import Reply, Request
from instant.domain.executions.failure import Effect, Failure
from instant.domain.executions.receipt import Receipt
from instant.domain.secret import Secret
from instant.ports.upstream import ask, exchange
from tests.fakes.clock import TickingClock
from tests.fakes.openrouter import FakeOpenRouter
from tests.fakes.openrouter.script import Pause, Step
from tests.timeouts import HANG_SECONDS

KEY = "sk-or-v1-" + "canary42" * 8
WITH_ID = {"Content-Type": "text/event-stream", "X-Generation-Id": "gen-7"}
DRIP: list[Step] = [Pause(), b" "] * 1_000
"""A long body with pauses, so that the server detects a disconnected client while it writes."""


@pytest.fixture
def fake() -> Iterator[FakeOpenRouter]:
    with FakeOpenRouter() as running:
        yield running


@pytest.fixture
def upstream(fake: FakeOpenRouter) -> Iterator[HttpUpstream]:
    """A client that sends requests of each integration to its own path of the fake."""
    made = HttpUpstream(lambda name: fake.url if name == "openrouter" else f"{fake.url}/{name}")
    yield made
    made.close()


def chat(**more: str) -> Request:
    """Return a chat request with a key."""
    return Request(
        method="POST",
        path="/chat/completions",
        body=b"{}",
        bearer=Secret(KEY),
        id_header="x-generation-id",
        **({"integration": "openrouter"} | more),  # type: ignore[arg-type]
    )


def test_open_returns_status_and_headers_before_the_body_arrives(upstream: HttpUpstream, fake: FakeOpenRouter) -> None:
    gate = threading.Event()
    fake.script(418, headers=WITH_ID, chunks=[b"Hel", gate, b"lo."])
    with upstream.open(chat(), seconds=HANG_SECONDS) as response:
        assert (response.status, response.headers["content-type"]) == (418, "text/event-stream")
        assert response.generation_id == "gen-7"
        chunks = response.chunks()
        assert next(chunks) == b"Hel"
        gate.set()
        assert b"".join(chunks) == b"lo."


def test_exchange_returns_the_joined_chunks(upstream: HttpUpstream, fake: FakeOpenRouter) -> None:
    parts = [bytes([number]) * 1_000 for number in range(60, 80)]
    for _ in range(2):
        fake.script(200, headers=WITH_ID, chunks=parts)
    with upstream.open(chat(), seconds=HANG_SECONDS) as response:
        body = b"".join(response.chunks())
        reply = Reply(status=response.status, body=body, headers=response.headers)
    again = exchange(upstream, chat(), seconds=HANG_SECONDS)
    assert body == b"".join(parts)
    assert (again.status, again.body, again.headers.keys()) == (reply.status, reply.body, reply.headers.keys())


def test_response_is_closed_if_its_block_ends_early(upstream: HttpUpstream, fake: FakeOpenRouter) -> None:
    fake.script(200, headers=WITH_ID, chunks=[b"Hel", *DRIP])
    with upstream.open(chat(), seconds=HANG_SECONDS) as response:
        assert next(response.chunks()) == b"Hel"
    assert fake.wait_for_hang_up()
    fake.script(200, b'{"other":1}')
    assert exchange(upstream, chat(), seconds=HANG_SECONDS).body == b'{"other":1}'


@pytest.mark.parametrize("error", [ValueError("a bug"), KeyboardInterrupt(), GeneratorExit()], ids=repr)
def test_open_passes_exceptions_of_its_block_through(
    upstream: HttpUpstream, fake: FakeOpenRouter, error: BaseException
) -> None:
    fake.script(200, headers=WITH_ID, chunks=[b"Hel", *DRIP])

    def read() -> None:
        with upstream.open(chat(), seconds=HANG_SECONDS) as response:
            for _ in response.chunks():
                raise error

    with pytest.raises(type(error)) as caught:
        read()
    assert caught.value is error
    assert fake.wait_for_hang_up()


def failure_in_chunks(upstream: HttpUpstream, seconds: float = HANG_SECONDS) -> Failure:
    """Return the failure of reading the chunks; opening the response succeeds."""
    with upstream.open(chat(), seconds=seconds) as response, pytest.raises(Failure) as caught:
        list(response.chunks())
    return caught.value


@pytest.mark.parametrize(
    ("headers", "cut", "kind"),
    [(WITH_ID, True, OutcomeUnknown), ({**WITH_ID, "Content-Encoding": "gzip"}, False, UpstreamError)],
    ids=["cut", "compressed"],
)
def test_chunks_fail_with_unknown_outcome_unless_they_are_complete(
    upstream: HttpUpstream, fake: FakeOpenRouter, headers: dict[str, str], cut: bool, kind: type[InstantError]
) -> None:
    fake.script(200, headers=headers, chunks=[b"Hel"], cut=cut)
    failure = failure_in_chunks(upstream)
    assert (type(failure.error), failure.effect) == (kind, Effect.UNKNOWN)
    assert failure.receipt == Receipt(generation_id="gen-7")


@pytest.mark.parametrize("encoding", ["identity", "Identity", " IDENTITY ", "identity, identity", ""])
def test_chunks_accept_identity_in_any_case(upstream: HttpUpstream, fake: FakeOpenRouter, encoding: str) -> None:
    fake.script(200, b"{}", {"Content-Encoding": encoding})
    assert exchange(upstream, chat(), seconds=HANG_SECONDS).body == b"{}"


def test_chunks_are_read_within_the_deadline(fake: FakeOpenRouter) -> None:
    fake.script(200, headers=WITH_ID, chunks=DRIP)
    short_timeout = HttpUpstream(lambda name: fake.url, TickingClock(0.01))
    failure = failure_in_chunks(short_timeout, seconds=0.5)
    short_timeout.close()
    assert (type(failure.error), failure.effect) == (DeadlineExceeded, Effect.UNKNOWN)
    assert failure.receipt == Receipt(generation_id="gen-7")
    assert fake.wait_for_hang_up()


def test_headers_do_not_contain_the_key(upstream: HttpUpstream, fake: FakeOpenRouter) -> None:
    fake.script(200, b"{}", {"X-Echo": f"Bearer {KEY}", "X-Generation-Id": KEY})
    with upstream.open(chat(), seconds=HANG_SECONDS) as response:
        assert KEY not in str(response.headers)
        assert (response.headers["x-echo"], response.generation_id) == ("Bearer [key]", "[key]")


@pytest.mark.parametrize(
    ("more", "path"),
    [
        ({"integration": "openrouter"}, "/api/v1/chat/completions"),
        ({"integration": "other"}, "/api/v1/other/chat/completions"),
        ({"integration": "openrouter", "base_url": "{url}/absolute"}, "/api/v1/absolute/chat/completions"),
    ],
    ids=["integration", "another", "absolute"],
)
def test_request_is_sent_to_its_integration_or_absolute_url(
    upstream: HttpUpstream, fake: FakeOpenRouter, more: dict[str, str], path: str
) -> None:
    exchange(upstream, chat(**{name: text.format(url=fake.url) for name, text in more.items()}), seconds=HANG_SECONDS)
    assert [request.path for request in fake.requests] == [path]


def test_ask_raises_the_error_of_a_failure(upstream: HttpUpstream, fake: FakeOpenRouter) -> None:
    fake.script(200, b'{"a":1}')
    assert ask(upstream, chat(), seconds=HANG_SECONDS).body == b'{"a":1}'
    fake.script(200, b"{", cut=True)
    with pytest.raises(OutcomeUnknown):
        ask(upstream, chat(), seconds=HANG_SECONDS)
