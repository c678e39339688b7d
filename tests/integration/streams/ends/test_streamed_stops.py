"""A streamed execution looks after itself while it waits: it stops when it is cancelled, and stays alive otherwise."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any

import pytest

from instant.adapters.http.upstream import HttpUpstream
from instant.domain.executions.output import Delta
from instant.domain.executions.prepared import Prepared
from tests.fakes.clock import SleeplessClock, TickingClock
from tests.integration.app import App
from tests.integration.streams.runs import Events
from tests.integration.streams.streamed import stream
from tests.timeouts import HANG_SECONDS

BUSY = b'{"error": {"code": 429, "message": "slow down"}}'
WAIT = {"Retry-After": "4"}


@contextmanager
def impatient(app: App, clock: Any, wait_seconds: float = 0.01) -> Iterator[None]:
    """Call executions back every few milliseconds, and give the ledger this clock."""
    module = app.module("ExecuteFunction")
    before = module.deps
    with closing(HttpUpstream(lambda name: app.fake.url, wait_seconds=wait_seconds)) as upstream:
        module.deps = replace(before, upstream=upstream, ledger=replace(before.ledger, clock=clock))
        try:
            yield
        finally:
            module.deps = before


class Cancelling(Events):
    """A listener whose user cancels the execution at the first report of this name."""

    def __init__(self, app: App, report: str) -> None:
        """Cancel by the API."""
        super().__init__()
        self._app, self._report = app, report
        self._execution_id = ""

    def prepared(self, prepared: Prepared) -> None:
        super().prepared(prepared)
        self._execution_id = prepared.execution_id

    def delta(self, delta: Delta) -> None:
        super().delta(delta)
        self._cancel("delta")

    def idle(self) -> None:
        super().idle()
        self._cancel("idle after the start" if "started" in self.names else "idle")

    def _cancel(self, report: str) -> None:
        if report == self._report:
            self._report = ""
            answer = self._app.call("POST", f"/api/executions/{self._execution_id}/cancel")
            assert answer.status == 202, answer.text


@pytest.mark.parametrize(("report", "after"), [("idle after the start", 0), ("delta", 1)])
def test_cancelled_stream_ends_and_closes_its_connection(seeded: App, report: str, after: int) -> None:
    seeded.fake.hold_stream(after=after)
    resource_id = seeded.resource()["resource_id"]
    with impatient(seeded, TickingClock(1.0)):
        streamed = stream(seeded, resource_id, key="order-1", events=Cancelling(seeded, report))
    assert streamed.code == "cancelled"
    assert seeded.fake.wait_for_hang_up()
    (row,) = seeded.table("EXECUTIONS_TABLE")
    assert (row["state"]["S"], row["error_code"]["S"]) == ("UNKNOWN", "cancelled")
    assert row["generation_id"]["S"] == seeded.fake.generation_ids[0]
    assert ("model_served" in row) is (after == 1)
    assert stream(seeded, resource_id, key="order-1").code == "cancelled"
    assert len(seeded.fake.chat_requests) == 1


def test_stream_that_is_cancelled_between_attempts_costs_nothing(seeded: App) -> None:
    seeded.fake.script(429, BUSY, WAIT)
    resource_id = seeded.resource()["resource_id"]
    with impatient(seeded, TickingClock(1.0), wait_seconds=HANG_SECONDS):  # only between the attempts
        streamed = stream(seeded, resource_id, events=Cancelling(seeded, "idle"))
    (row,) = seeded.table("EXECUTIONS_TABLE")
    assert (streamed.code, row["state"]["S"], row["cost_nanousd"]["N"]) == ("cancelled", "FAILED", "0")
    assert len(seeded.fake.chat_requests) == 1


def test_stream_is_watched_while_it_waits_for_another_attempt(seeded: App) -> None:
    module = seeded.module("ExecuteFunction")
    clock = SleeplessClock()
    before, module.deps = module.deps, replace(module.deps, clock=clock)
    seeded.fake.script(429, BUSY, WAIT)
    try:
        streamed = stream(seeded, seeded.resource()["resource_id"])
    finally:
        module.deps = before
    assert streamed.code is None, streamed.body
    assert sum(clock.waits) >= 4
    assert max(clock.waits) <= 1
    assert streamed.events.names.count("idle") >= 4
