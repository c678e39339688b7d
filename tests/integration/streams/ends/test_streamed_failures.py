"""A stream that breaks off, fails or grows too long is recorded with what is known of it, and never sent again."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import pytest

from instant.domain.errors import OutcomeUnknown
from instant.domain.exchange import Request
from instant.domain.executions.failure import Effect, Failure
from instant.domain.executions.output import Delta
from instant.integrations.openrouter.chat import MAX_TEXT_ANSWER_BYTES
from tests.fakes.clock import FakeClock
from tests.fakes.openrouter.chat.stream import DONE
from tests.integration.app import App
from tests.integration.streams.runs import Events
from tests.integration.streams.streamed import stream

HEADERS = {"Content-Type": "text/event-stream", "X-Generation-Id": "gen-1"}
COST = 340
USAGE = {"prompt_tokens": 12, "completion_tokens": 34, "cost": 0.00000034}


def chunk(content: str, finish: str | None = None, **more: Any) -> bytes:
    """Return one event."""
    choice = {"index": 0, "delta": {"content": content}, "finish_reason": finish}
    body = {"id": "gen-1", "model": "m", "provider": "p", "choices": [choice], **more}
    return b"data: " + json.dumps(body, ensure_ascii=False).encode() + b"\n\n"


CHUNKS = [b": OPENROUTER PROCESSING\n\n", chunk("Hé"), chunk("llo."), chunk("", "stop"), chunk("", usage=USAGE), DONE]


def the_row(app: App) -> dict[str, Any]:
    """Return the only execution."""
    (row,) = app.table("EXECUTIONS_TABLE")
    return row


def number(row: Mapping[str, Any], name: str) -> int | None:
    """Return a number of a row."""
    return int(row[name]["N"]) if name in row else None


def cuts() -> Iterator[tuple[int, int]]:
    """Each place where a stream can end: chunks that arrived, and bytes of the next."""
    for count, each in enumerate(CHUNKS):
        yield from ((count, part) for part in sorted({0, 1, len(each) // 2, len(each) - 1}))


@pytest.mark.parametrize("is_lost", [False, True], ids=["ends", "is lost"])
@pytest.mark.parametrize(("count", "part"), list(cuts()))
def test_stream_that_breaks_off_is_no_answer(seeded: App, count: int, part: int, is_lost: bool) -> None:
    resource_id = seeded.resource()["resource_id"]
    seeded.fake.script(200, headers=HEADERS, chunks=[*CHUNKS[:count], CHUNKS[count][:part]], cut=is_lost)
    streamed = stream(seeded, resource_id, key="order-1")
    row = the_row(seeded)
    if CHUNKS[count][:part].strip() == DONE.strip():  # it is complete, however its connection ends
        assert streamed.code is None
        return
    has_cost = count == 5 or (count == 4 and part == len(CHUNKS[4]) - 1)
    assert streamed.code == ("outcome_unknown" if is_lost else "upstream_error")
    assert row["state"]["S"] == ("FAILED" if has_cost else "UNKNOWN")
    assert number(row, "cost_nanousd") == (COST if has_cost else None)
    assert row["generation_id"]["S"] == "gen-1"
    assert ("model_served" in row) == ("provider" in row) == (count > 1 or (count == 1 and part == len(CHUNKS[1]) - 1))
    assert "Héllo.".startswith(streamed.events.text_after(""))
    again = stream(seeded, resource_id, key="order-1")
    assert (again.code, again.body["error"]["execution_id"]) == (
        streamed.code if has_cost else "outcome_unknown",
        streamed.body["error"]["execution_id"],
    )
    assert len(seeded.fake.chat_requests) == 1


@pytest.mark.parametrize("streams", [False, True])
def test_answer_that_is_too_long_is_recorded_as_unknown(seeded: App, streams: bool) -> None:
    resource_id, prompt = seeded.resource()["resource_id"], "[[fake: huge]]"
    body = stream(seeded, resource_id, prompt).body if streams else seeded.execute(resource_id, prompt).json
    row = the_row(seeded)
    assert body["error"]["code"] == "too_large"
    assert body["error"]["details"] == {"limit": "answer_bytes", "most": MAX_TEXT_ANSWER_BYTES}
    assert (row["state"]["S"], row["generation_id"]["S"]) == ("UNKNOWN", seeded.fake.generation_ids[0])
    assert number(row, "cost_nanousd") is None


def test_endless_answer_is_aborted_at_its_maximum(seeded: App) -> None:
    seeded.fake.script(200, headers=HEADERS, chunks=[chunk("x" * 65_536)] * 5_000)
    assert stream(seeded, seeded.resource()["resource_id"]).code == "too_large"
    row = the_row(seeded)
    assert (row["state"]["S"], row["generation_id"]["S"]) == ("UNKNOWN", "gen-1")
    assert (row["model_served"]["S"], row["provider"]["S"]) == ("m", "p")
    assert seeded.fake.wait_for_hang_up()


def test_framing_of_a_stream_does_not_count_as_its_answer(seeded: App) -> None:
    chunks = [*[b": " + b"x" * 65_536 + b"\n\n"] * (MAX_TEXT_ANSWER_BYTES // 65_536 + 1), *CHUNKS]
    seeded.fake.script(200, headers=HEADERS, chunks=chunks)
    assert stream(seeded, seeded.resource()["resource_id"]).body["output"]["content"] == "Héllo."


@pytest.mark.parametrize("data", [b"data: \xff\n\n", b"data: {}\0\n\n"])
def test_stream_that_is_not_text_has_an_unknown_outcome(seeded: App, data: bytes) -> None:
    seeded.fake.script(200, headers=HEADERS, chunks=[CHUNKS[1], data, *CHUNKS[2:]])
    streamed = stream(seeded, seeded.resource()["resource_id"])
    assert (streamed.code, the_row(seeded)["state"]["S"]) == ("upstream_error", "UNKNOWN")
    assert "UTF-8" in streamed.body["error"]["message"]


class Failing(Events):
    """A listener that fails at one report."""

    def __init__(self, report: str) -> None:
        """Fail at the report of this name."""
        super().__init__()
        setattr(self, report, self._fail)

    def _fail(self, *_: object) -> NoReturn:
        raise RuntimeError("the reader is gone")


@pytest.mark.parametrize("report", ["prepared", "started", "delta", "image", "idle"])
def test_listener_that_fails_does_not_affect_the_execution(seeded: App, report: str) -> None:
    resource_id = seeded.resource(config={"model": "juniper/fresco-2", "max_tokens": None})["resource_id"]
    seeded.fake.script(503, b'{"error": {"code": 503, "message": "no capacity"}}')
    streamed = stream(seeded, resource_id, "[[fake: picture png]]", key="order-1", listener=Failing(report))
    assert streamed.code is None, streamed.body
    assert the_row(seeded)["state"]["S"] == "DONE"
    assert stream(seeded, resource_id, "[[fake: picture png]]", key="order-1").body == streamed.body
    assert len(seeded.fake.generation_ids) == 1


class Waiting(Events):
    """A listener whose first piece takes some seconds, and whose second one ends the process."""

    def __init__(self, clock: FakeClock, seconds: float) -> None:
        """Move `clock`."""
        super().__init__()
        self._clock, self._seconds = clock, seconds

    def delta(self, delta: Delta) -> None:
        super().delta(delta)
        if len(self.deltas) == 3:
            raise KeyboardInterrupt
        self._clock.pass_seconds(self._seconds)


@pytest.mark.parametrize("headers", [HEADERS, {"Content-Type": "text/event-stream"}], ids=["header", "body"])
@pytest.mark.parametrize(("seconds", "known"), [(0.9, None), (2.0, "gen-1")])
def test_generation_id_of_a_long_stream_is_stored_early(
    seeded: App, headers: dict[str, str], seconds: float, known: str | None
) -> None:
    module, clock = seeded.module("ExecuteFunction"), FakeClock()
    seeded.fake.script(200, headers=headers, chunks=[chunk("a"), chunk("b"), chunk("c")])
    before = module.deps
    module.deps = replace(before, clock=clock)
    try:
        with pytest.raises(KeyboardInterrupt):
            stream(seeded, seeded.resource()["resource_id"], events=Waiting(clock, seconds))
    finally:
        module.deps = before
    row = the_row(seeded)
    assert (row["state"]["S"], row.get("early_generation_id", {}).get("S")) == ("SENT", known)


@dataclass
class ForgetfulUpstream:
    """A client that reports a stream that was lost as a request that was never sent."""

    upstream: Any

    @contextmanager
    def open(self, request: Request, *, seconds: float, on_wait: Callable[[], None] | None = None) -> Iterator[Any]:
        try:
            with self.upstream.open(request, seconds=seconds, on_wait=on_wait) as response:
                yield response
        except Failure as failure:
            raise Failure(failure.error, effect=Effect.NONE) from None


def test_stream_that_has_begun_is_not_sent_again(seeded: App) -> None:
    module = seeded.module("ExecuteFunction")
    seeded.fake.script(200, headers=HEADERS, chunks=CHUNKS[:3], cut=True)
    before = module.deps
    module.deps = replace(before, upstream=ForgetfulUpstream(before.upstream))
    try:
        streamed = stream(seeded, seeded.resource()["resource_id"])
    finally:
        module.deps = before
    assert (streamed.code, the_row(seeded)["state"]["S"]) == (OutcomeUnknown.code, "UNKNOWN")
    assert len(seeded.fake.chat_requests) == 1
