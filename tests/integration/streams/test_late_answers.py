"""A service that takes longer than ten seconds: the response begins with comments, and a failure becomes an event."""

import json
import threading
from datetime import datetime

import pytest

from tests.fakes.clock import START, FakeClock
from tests.integration.app import Answer, App, set_clock

COMMENT = ": keep-alive\n\n"
REFUSED = json.dumps({"error": {"code": 400, "message": "No."}}).encode()


class WaitingClock(FakeClock):
    """Passes six seconds with each reading, and sets `is_late` when enough have passed for two comments."""

    def __init__(self, start: datetime = START) -> None:
        """Start at this time."""
        super().__init__(start)
        self.is_late = threading.Event()

    def monotonic(self) -> float:
        """Seconds since the clock was created, increased by this reading."""
        self.pass_seconds(6)
        if super().monotonic() > 90:
            self.is_late.set()
        return super().monotonic()


@pytest.fixture
def clock(seeded: App) -> WaitingClock:
    """The clock of the function that streams."""
    clock = WaitingClock(seeded.module("StreamFunction").deps.clock.now())
    set_clock(seeded, clock, "StreamFunction")
    return clock


def stream(app: App, prompt: str = "Say hello.") -> Answer:
    """Execute a resource as a stream."""
    body = {"resource_id": app.resource()["resource_id"], "inputs": {"prompt": prompt}}
    return app.call("POST", "/api/execute/stream", body)


def test_late_answer_follows_comments(seeded: App, clock: WaitingClock) -> None:
    chunk = {"id": "gen-1", "model": "m", "choices": [{"index": 0, "delta": {"content": "Hello."}}]}
    end = {**chunk, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": {"cost": 0.001}}
    lines = [f"data: {json.dumps(each)}\n\n".encode() for each in (chunk, end)]
    seeded.fake.script(
        headers={"Content-Type": "text/event-stream"}, chunks=[clock.is_late, *lines, b"data: [DONE]\n\n"]
    )
    answer = stream(seeded)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/event-stream")
    assert answer.text.startswith(COMMENT)
    events = answer.text.replace(COMMENT, "").split("\n\n")
    assert [event.split("\n")[0] for event in events] == ["event: start", "event: delta", "event: done", ""]


def test_late_refusal_is_an_event(seeded: App, clock: WaitingClock) -> None:
    seeded.fake.script(400, chunks=[clock.is_late, REFUSED])
    answer = stream(seeded)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/event-stream")
    assert answer.text.startswith(COMMENT)
    last = answer.text.replace(COMMENT, "")
    assert last.startswith('event: error\ndata: {"error":{"code":"')
    execution_id = json.loads(last.partition("data: ")[2])["error"]["execution_id"]
    assert seeded.call("GET", f"/api/executions/{execution_id}").json["status"] == "FAILED"
