"""A streamed execution whose process ends at any report is paid once, and its outcome is looked up."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime

import pytest

from instant.domain.executions.output import Delta
from tests.fakes.clock import FakeClock
from tests.fakes.deaths import Killed
from tests.integration.app import App, set_clock
from tests.integration.streams.runs import Events
from tests.integration.streams.streamed import stream

PAINTER = {"model": "juniper/fresco-2", "max_tokens": None}
PROMPT = "A boat. [[fake: picture png]]"
HOUR, DAY = 3_600.0, 86_400.0


class Dying(Events):
    """A listener in whose n-th report from `started` on the process ends; each piece takes some seconds."""

    def __init__(self, number: int, clock: FakeClock, seconds: float) -> None:
        """Count the reports."""
        super().__init__()
        self._left, self._clock, self._seconds = number, clock, seconds

    def started(self) -> None:
        super().started()
        self._count()

    def delta(self, delta: Delta) -> None:
        super().delta(delta)
        self._clock.pass_seconds(self._seconds)
        self._count()

    def image(self, path: str, media_type: str | None) -> None:
        super().image(path, media_type)
        self._count()

    def _count(self) -> None:
        self._left -= 1
        if self._left == 0:
            raise Killed


@pytest.fixture
def clock(seeded: App) -> Iterator[FakeClock]:
    """The clock of the executions and of the reconciler."""
    clock, modules = FakeClock(datetime.now(UTC)), {}
    for function in ("ExecuteFunction", "ReconcileFunction"):
        modules[function] = (seeded.module(function), seeded.module(function).deps)
        set_clock(seeded, clock, function)
    yield clock
    for module, deps in modules.values():
        module.deps = deps


@pytest.mark.parametrize("seconds", [0.0, 3.0], ids=["at once", "late"])
def test_stream_whose_process_ends_at_any_report_is_paid_once(seeded: App, clock: FakeClock, seconds: float) -> None:
    resource_id = seeded.resource(config=PAINTER)["resource_id"]
    reports = stream(seeded, resource_id, PROMPT).events.names.count
    total = reports("started") + reports("delta") + reports("image")
    for number in range(1, total + 1):
        with suppress(Killed):
            stream(seeded, resource_id, PROMPT, key=f"order-{number}", events=Dying(number, clock, seconds))
        assert len(seeded.fake.generation_ids) == number + 1
        assert stream(seeded, resource_id, PROMPT, key=f"order-{number}").code == "outcome_unknown"
    for pause in (HOUR, HOUR, HOUR, DAY):
        clock.pass_seconds(pause)
        seeded.invoke("ReconcileFunction", {})
    rows = seeded.table("EXECUTIONS_TABLE")
    assert len(seeded.fake.generation_ids) == len(rows) == total + 1
    known = [row for row in rows if "generation_id" in row]
    assert (len(known) > 1) == (seconds > 0)
    assert all(row["state"]["S"] in {"DONE", "FAILED"} and "cost_nanousd" in row for row in known)
    assert {row["state"]["S"] for row in rows if row not in known} == {"LOST"}
