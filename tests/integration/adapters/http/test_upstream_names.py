"""A slow response reports its generation id once, so that the reconciler can query it after a crash."""

import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from instant.adapters.http.upstream import HttpUpstream
from instant.domain.errors import DeadlineExceeded
from instant.domain.exchange import Request
from instant.domain.executions.failure import Failure
from instant.domain.secret import Secret
from instant.ports.upstream import exchange
from tests.fakes.clock import TickingClock
from tests.fakes.openrouter import FakeOpenRouter
from tests.fakes.openrouter.script import Pause, Step
from tests.timeouts import HANG_SECONDS

KEY = "sk-or-v1-" + "canary42" * 8
DRIP: list[Step] = [Pause(), b" "] * 1_000
"""A body that is longer than the deadline allows."""

WITH_ID = {"Content-Type": "application/json", "X-Generation-Id": "gen-42"}


@pytest.fixture
def fake() -> Iterator[FakeOpenRouter]:
    with FakeOpenRouter() as running:
        yield running


@pytest.fixture
def short_body_timeout() -> Iterator[HttpUpstream]:
    """A client that reports the generation id after waiting 20 ms for the body."""
    made = HttpUpstream(body_seconds=0.02)
    yield made
    made.close()


@pytest.fixture
def short_timeout() -> Iterator[HttpUpstream]:
    """The same client, whose deadline passes after thirty readings of the clock."""
    made = HttpUpstream(clock=TickingClock(HANG_SECONDS / 30), body_seconds=0.02)
    yield made
    made.close()


def chat(fake: FakeOpenRouter) -> Request:
    """Return a chat request with a key."""
    return Request(
        method="POST",
        base_url=fake.url,
        path="/chat/completions",
        body=b'{"model":"meadow/lark-mini","max_completion_tokens":50,"messages":[{"role":"user","content":"Hi"}]}',
        headers={"Content-Type": "application/json"},
        bearer=Secret(KEY),
        id_header="x-generation-id",
    )


class IdRecorder:
    """A callback that records generation ids and then lets the response continue."""

    def __init__(self, *, fails: bool = False) -> None:
        """Start without ids."""
        self.ids: list[str] = []
        self.recorded = threading.Event()
        self._fails = fails

    def __call__(self, generation_id: str) -> None:
        """Record the id."""
        self.ids.append(generation_id)
        self.recorded.set()
        if self._fails:
            raise OSError("the table is not available")


def test_paused_body_reports_its_generation_id_and_is_read(
    fake: FakeOpenRouter, short_body_timeout: HttpUpstream
) -> None:
    recorder = IdRecorder()
    fake.script(200, headers=WITH_ID, chunks=[b"{", recorder.recorded, b"}"])
    reply = exchange(short_body_timeout, chat(fake), seconds=HANG_SECONDS, on_generation_id=recorder)
    assert (reply.body, recorder.ids) == (b"{}", ["gen-42"])


def test_slow_body_reports_its_generation_id_once(fake: FakeOpenRouter, short_body_timeout: HttpUpstream) -> None:
    recorder = IdRecorder()
    fake.script(200, headers=WITH_ID, chunks=[*[b"\n"] * 5, recorder.recorded, *[b"\n"] * 50, b"{}"])
    reply = exchange(short_body_timeout, chat(fake), seconds=HANG_SECONDS, on_generation_id=recorder)
    assert (reply.body.strip(), recorder.ids) == (b"{}", ["gen-42"])


def test_immediate_body_reports_no_generation_id(fake: FakeOpenRouter) -> None:
    recorder, long_body_timeout = IdRecorder(), HttpUpstream(body_seconds=HANG_SECONDS)
    fake.script(200, b"{}", headers=WITH_ID)
    assert exchange(long_body_timeout, chat(fake), seconds=HANG_SECONDS, on_generation_id=recorder).body == b"{}"
    assert recorder.ids == []
    long_body_timeout.close()


def test_failed_generation_id_record_does_not_affect_the_call(
    fake: FakeOpenRouter, short_body_timeout: HttpUpstream, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = IdRecorder(fails=True)
    fake.script(200, headers=WITH_ID, chunks=[b"{", recorder.recorded, b"}"])
    assert exchange(short_body_timeout, chat(fake), seconds=HANG_SECONDS, on_generation_id=recorder).body == b"{}"
    assert "the generation id was not stored" in caplog.text


def test_generation_id_equal_to_the_key_is_redacted(fake: FakeOpenRouter, short_body_timeout: HttpUpstream) -> None:
    recorder = IdRecorder()
    fake.script(200, headers={**WITH_ID, "X-Generation-Id": KEY}, chunks=[b"{", recorder.recorded, b"}"])
    exchange(short_body_timeout, chat(fake), seconds=HANG_SECONDS, on_generation_id=recorder)
    assert recorder.ids == ["[key]"]


def test_response_without_generation_id_reports_none(fake: FakeOpenRouter, short_timeout: HttpUpstream) -> None:
    recorder = IdRecorder()
    fake.script(200, headers={"Content-Type": "application/json"}, chunks=[b"{", *DRIP])
    with pytest.raises(Failure):
        exchange(short_timeout, chat(fake), seconds=HANG_SECONDS, on_generation_id=recorder)
    assert recorder.ids == []


def test_deadline_before_the_generation_id_is_enforced(fake: FakeOpenRouter) -> None:
    recorder, long_body_timeout = (
        IdRecorder(),
        HttpUpstream(clock=TickingClock(HANG_SECONDS / 30), body_seconds=2 * HANG_SECONDS),
    )
    fake.script(200, headers=WITH_ID, chunks=[b"{", *DRIP])
    with pytest.raises(Failure) as caught:
        exchange(long_body_timeout, chat(fake), seconds=HANG_SECONDS, on_generation_id=recorder)
    assert recorder.ids == []
    assert type(caught.value.error) is DeadlineExceeded
    assert caught.value.receipt is not None
    assert caught.value.receipt.generation_id == "gen-42"
    long_body_timeout.close()


def test_deadline_after_the_generation_id_is_enforced(fake: FakeOpenRouter, short_timeout: HttpUpstream) -> None:
    ids: list[str] = []
    fake.script(200, headers=WITH_ID, chunks=[b"{", *DRIP])
    with pytest.raises(Failure):
        exchange(short_timeout, chat(fake), seconds=HANG_SECONDS, on_generation_id=ids.append)
    assert ids == ["gen-42"]


@pytest.mark.parametrize(("size", "is_kept"), [(200, True), (201, False), (9_000, False)])
def test_generation_id_that_is_too_long_is_absent(fake: FakeOpenRouter, size: int, is_kept: bool) -> None:
    fake.script(200, b"{}", headers={"X-Generation-Id": "g" * size})
    with closing(HttpUpstream()) as upstream, upstream.open(chat(fake), seconds=HANG_SECONDS) as response:
        assert response.generation_id == ("g" * size if is_kept else None)
