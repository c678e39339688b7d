"""How a streamed exchange ends: cut, kept open, cancelled between requests or within a reply."""

import itertools
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from unittest import mock

import pytest

from instant.adapters.executions.cancellations import DynamoCancellations
from instant.adapters.http.upstream import HttpUpstream
from instant.domain.exchange import Reply, Request
from instant.domain.executions.failure import Effect, Failure
from instant.domain.executions.plan import Plan
from instant.domain.secret import Mask
from instant.integrations.openrouter.chat import read_chat
from instant.integrations.openrouter.streams.chat_stream import ChatStream
from instant.resource_types import RESOURCE_TYPES
from instant.resource_types.openrouter_instant import OpenRouterInstant
from instant.resource_types.resource_type import Flow
from instant.use_cases.executions.streams.cancel import cancelled
from instant.use_cases.executions.streams.exchange import StreamedExchange
from instant.use_cases.executions.streams.progress import Progress
from tests.fakes.clock import FakeClock
from tests.fakes.openrouter import FakeOpenRouter
from tests.integration.app import App, set_clock
from tests.integration.streams.runs import EXECUTION_ID, Events
from tests.integration.streams.streamed import stream
from tests.timeouts import HANG_SECONDS

CHUNK = {"id": "gen-1", "model": "m", "choices": [{"index": 0, "delta": {"content": "Hello."}}]}
END = {**CHUNK, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": {"cost": 0.001}}
LINES = [f"data: {json.dumps(each)}\n\n".encode() for each in (CHUNK, END)]
DONE = b"data: [DONE]\n\n"
EVENTS = {"Content-Type": "text/event-stream"}
BUSY = json.dumps({"error": {"code": 429, "message": "slow down"}}).encode()


@pytest.fixture
def fake() -> Iterator[FakeOpenRouter]:
    with FakeOpenRouter() as running:
        yield running


def exchanged(fake: FakeOpenRouter, on_wait: Callable[[], None] = lambda: None) -> Reply:
    """Make one exchange that calls back every 10 ms."""
    request = Request(
        method="POST", base_url=fake.url, path="/chat/completions", body=b"{}", id_header="x-generation-id"
    )
    with closing(HttpUpstream(wait_seconds=0.01)) as upstream:
        return StreamedExchange(
            upstream=upstream,
            request=request,
            reader=ChatStream(1_000),
            progress=Progress(Events(), Mask(None)),
            clock=FakeClock(),
            on_generation_id=None,
            on_wait=on_wait,
        ).run(HANG_SECONDS)


@pytest.mark.parametrize("end", [b"", b"\r\n", b": comment\n\n"])
def test_answer_is_complete_at_its_done(seeded: App, end: bytes) -> None:
    seeded.fake.script(headers=EVENTS, chunks=[*LINES, DONE, end] if end else [*LINES, DONE], cut=True)
    streamed = stream(seeded, seeded.resource()["resource_id"])
    assert (streamed.code, streamed.events.text_after("")) == (None, "Hello.")
    (row,) = seeded.table("EXECUTIONS_TABLE")
    assert (row["state"]["S"], row["cost_nanousd"]["N"]) == ("DONE", "1000000")


def test_answer_without_its_done_is_cut(seeded: App) -> None:
    seeded.fake.script(headers=EVENTS, chunks=LINES, cut=True)
    assert stream(seeded, seeded.resource()["resource_id"]).code == "outcome_unknown"


def test_connection_that_stays_open_after_the_done_is_not_awaited(fake: FakeOpenRouter) -> None:
    ticks, never = itertools.count(), threading.Event()

    def stop_awaiting() -> None:
        assert next(ticks) < 500, "the connection is awaited"

    fake.script(headers=EVENTS, chunks=[*LINES, DONE, never])
    try:
        reply = exchanged(fake, stop_awaiting)
    finally:
        never.set()
    assert reply.document["choices"][0]["message"]["content"] == "Hello."


def test_cancellation_within_a_reply_without_events_knows_the_generation_id(fake: FakeOpenRouter) -> None:
    never = threading.Event()
    with_id = {"Content-Type": "application/json", "X-Generation-Id": "gen-42"}
    fake.script(headers=with_id, chunks=[b" ", never, b"{}"])
    ticks: list[int] = []

    def cancel() -> None:
        ticks.append(1)
        if len(ticks) == 20:
            raise Failure(cancelled(EXECUTION_ID), effect=Effect.UNKNOWN)

    try:
        with pytest.raises(Failure) as caught:
            exchanged(fake, cancel)
    finally:
        never.set()
    assert (caught.value.effect, caught.value.cost.generation_id) == (Effect.UNKNOWN, "gen-42")


class Checking(OpenRouterInstant):
    """A type that makes a request that is free after the one that spends."""

    def flow(self, plan: Plan) -> Flow:
        reply = yield plan.request
        yield Request(method="GET", integration="openrouter", path="/key", spends=False)
        return read_chat(reply)


class CancellingAtOnce(Events):
    """Cancels the execution as soon as it is SENT."""

    def __init__(self, app: App) -> None:
        """Cancel in `app`."""
        super().__init__()
        self._app = app

    def idle(self) -> None:
        for row in self._app.table("EXECUTIONS_TABLE"):
            cancellations = DynamoCancellations(self._app.name("EXECUTIONS_TABLE"))
            assert cancellations.request(row["execution_id"]["S"], row["user_id"]["S"], "now")


def test_cancellation_before_a_retry_of_a_free_request_does_not_make_the_call_free(seeded: App) -> None:
    resource_id = seeded.resource()["resource_id"]
    set_clock(seeded, FakeClock(seeded.module("ExecuteFunction").deps.clock.now()), "ExecuteFunction")
    seeded.fake.serve_key(429, BUSY, {"Content-Type": "application/json", "Retry-After": "4"})
    with mock.patch.dict(RESOURCE_TYPES, {"openrouter_instant": Checking()}):
        streamed = stream(seeded, resource_id, listener=CancellingAtOnce(seeded))
    (row,) = seeded.table("EXECUTIONS_TABLE")
    assert (streamed.code, len(seeded.fake.chat_requests)) == ("cancelled", 1)
    assert (row["state"]["S"], "cost_nanousd" in row) == ("UNKNOWN", False)
