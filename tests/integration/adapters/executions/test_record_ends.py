"""The end of a recording when its process or stream ends, or when nothing was sent."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from instant.domain.clock import format_time
from instant.domain.errors import CredentialMissing
from instant.domain.executions.execution import State
from instant.domain.usage.budget import Budget, BudgetScope, Subject
from instant.use_cases.executions.record import Recording, record
from tests.fakes.aws_faults import faults
from tests.fakes.builders import a_prepared
from tests.fakes.clock import START
from tests.integration.adapters.executions.test_record import Recorder, answer
from tests.integration.app import App

ENDS = [KeyboardInterrupt, SystemExit, GeneratorExit]
KINDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "idempotent": {"fingerprint": "f" * 64},
    "budgeted": {},
}


@pytest.fixture
def make(cloud: App, fresh: Callable[[str], str]) -> Callable[[str], Recorder]:
    """Return a function that makes a call of a kind; a budgeted call has its own budget."""

    def made(kind: str) -> Recorder:
        facts = dict(KINDS[kind])
        if kind == "budgeted":
            facts["budgets"] = (Budget(subject=Subject(BudgetScope.USER, fresh("user")), daily_nanousd=10**9),)
        return Recorder(cloud, a_prepared(fresh("exe"), resource_id=fresh("res"), **facts))

    return made


@pytest.fixture(params=KINDS)
def recorder(request: pytest.FixtureRequest, make: Callable[[str], Recorder]) -> Recorder:
    """A call of each kind."""
    return make(request.param)


def run(recorder: Recorder, body: Callable[[Recording], object]) -> None:
    """Run `body` inside a recording."""
    with record(recorder.prepared, lambda: 120.0, recorder.deps) as recording:
        body(recording)


def raising(end: BaseException, *before: Callable[[Recording], object]) -> Callable[[Recording], None]:
    """Return a body that raises `end` after some steps."""

    def body(recording: Recording) -> None:
        for step in before:
            step(recording)
        raise end

    return body


def held(recorder: Recorder) -> list[int]:
    """Return the committed amount of each of the call's budgets."""
    names = tuple(f"spend#{budget.subject.name}#" for budget in recorder.prepared.budgets)
    rows = recorder.app.table("LIMITS_TABLE")
    return [int(row["committed"]["N"]) for row in rows if names and row["name"]["S"].startswith(names)]


@pytest.mark.parametrize("end", ENDS)
def test_recording_leaves_a_sent_row_when_its_process_ends(recorder: Recorder, end: type[BaseException]) -> None:
    with pytest.raises(end):
        run(recorder, raising(end(), Recording.mark_sent))
    assert (recorder.found.state, recorder.found.error_code, recorder.counts) == (State.SENT, None, (0, 0, 0))
    assert held(recorder) == [700_000 for _ in recorder.prepared.budgets]


def test_recording_keeps_a_reservation_when_its_process_ends(recorder: Recorder) -> None:
    with faults("DeleteItem") as deletes, pytest.raises(KeyboardInterrupt):
        run(recorder, raising(KeyboardInterrupt()))
    assert deletes.bodies == []
    is_plain = recorder.prepared.fingerprint is None and not recorder.prepared.budgets
    assert (recorder.row and recorder.row.state) == (None if is_plain else State.RESERVED)
    assert held(recorder) == [700_000 for _ in recorder.prepared.budgets]


def test_recording_leaves_a_sent_row_when_its_stream_closes(recorder: Recorder) -> None:
    def stream() -> Iterator[str]:
        with record(recorder.prepared, lambda: 120.0, recorder.deps) as recording:
            recording.mark_sent()
            yield "Hel"
            recording.finish(answer())

    reader = stream()
    assert next(reader) == "Hel"
    reader.close()  # type: ignore[attr-defined]
    assert (recorder.found.state, recorder.found.error_code, recorder.counts) == (State.SENT, None, (0, 0, 0))


def test_recording_keeps_the_generation_id_when_its_process_ends(recorder: Recorder) -> None:
    with pytest.raises(SystemExit):
        run(recorder, raising(SystemExit(), Recording.mark_sent, lambda made: made.record_generation_id("gen-7")))
    due = recorder.open_runs.due(format_time(START + timedelta(hours=1)))
    (left,) = [run for run in due if run.opening.execution_id == recorder.prepared.execution_id]
    assert (left.state, left.generation_id) == (State.SENT, "gen-7")


@pytest.mark.parametrize("error", [CredentialMissing("Connect."), ValueError("a bug")], ids=["API error", "a bug"])
def test_recording_releases_row_and_holds_when_nothing_was_sent(recorder: Recorder, error: Exception) -> None:
    seen = list[list[int]]()
    with pytest.raises(type(error)) as caught:
        run(recorder, raising(error, lambda _: seen.append(held(recorder))))
    assert caught.value is error
    assert caught.value.__cause__ is None
    assert seen == [[700_000 for _ in recorder.prepared.budgets]]
    assert (recorder.row, held(recorder), recorder.counts) == (None, [0 for _ in recorder.prepared.budgets], (0, 0, 0))


def test_recording_replaces_holds_with_the_cost(make: Callable[[str], Recorder]) -> None:
    recorder = make("budgeted")
    recorder.run(answer)
    assert (recorder.found.state, held(recorder)) == (State.DONE, [5_920])


def test_finish_records_an_answer_without_a_spending_request(recorder: Recorder) -> None:
    with record(recorder.prepared, lambda: 120.0, recorder.deps) as recording:
        assert not recording.is_sent
        assert recording.finish(answer())["success"] is True
    assert (recorder.found.state, recorder.counts) == (State.DONE, (1, 0, 5_920))


def test_mark_sent_writes_once(recorder: Recorder) -> None:
    with record(recorder.prepared, lambda: 120.0, recorder.deps) as recording:
        recording.mark_sent()
        with faults("PutItem") as puts, faults("UpdateItem") as updates:
            recording.mark_sent()
        recording.finish(answer())
    assert (puts.bodies, updates.bodies, recorder.found.state) == ([], [], State.DONE)


def test_recording_does_not_repeat_a_recorded_execution(recorder: Recorder) -> None:
    first = recorder.run(answer)
    before = recorder.found
    assert recorder.run(lambda: answer("Other.")) == first
    assert (recorder.ran, recorder.found, recorder.counts) == (1, before, (1, 0, 5_920))
    assert held(recorder) == [5_920 for _ in recorder.prepared.budgets]
