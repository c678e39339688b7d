"""While a stream runs: it reports that it is alive, renews its lease, and ends when it was cancelled."""

from typing import Any

import pytest

from instant.adapters.executions.cancellations import DynamoCancellations
from instant.domain.errors import Cancelled
from instant.domain.executions.execution import State, StoredAnswer
from instant.domain.executions.failure import Effect, Failure
from instant.domain.executions.receipt import Receipt
from instant.use_cases.executions.record import Recording
from instant.use_cases.executions.replay import replay_response
from instant.use_cases.executions.streams.watch import Watch
from tests.fakes.aws_faults import failure, faults, lost_request
from tests.fakes.builders import a_closing
from tests.integration.app import App
from tests.integration.aws_calls import recorded
from tests.integration.streams.runs import EXECUTION_ID, Events, StreamRun, an_answer

BROKEN = failure("InternalServerError")


@pytest.fixture
def run(app: App) -> StreamRun:
    return StreamRun(app)


def watched(run: StreamRun, recording: Recording, seconds: int, events: Events | None = None) -> Events:
    """Tick once a second for this time; return what was reported."""
    events = events or Events()
    watch = Watch(recording.opening, events, run.deps)
    for _ in range(seconds):
        run.clock.pass_seconds(1)
        watch.tick()
    return events


def cancel(run: StreamRun, user_id: str = "user_alice") -> bool:
    """Ask the execution to stop."""
    return DynamoCancellations(run.app.name("EXECUTIONS_TABLE")).request(EXECUTION_ID, user_id, "now")


def test_stream_has_a_lease_of_90_seconds_and_other_calls_that_of_their_invocation(run: StreamRun) -> None:
    with run.recording() as recording:
        assert recording.opening.streamed
        assert recording.opening.lease_expires_at == "2026-11-22T12:01:30.000000Z"
        recording.finish(an_answer())
    assert run.row.streamed
    run.app.empty()
    with run.recording(streamed=False) as recording:
        assert recording.opening.lease_expires_at == "2026-11-22T12:14:50.000000Z"
        recording.finish(an_answer())
    assert not run.row.streamed


def test_tick_reports_each_second_looks_every_two_and_renews_every_thirty(run: StreamRun) -> None:
    with recorded("dynamodb", short_timeout=True) as looks:
        events = watched(run, run.sent(), 60)
    assert events.names == ["idle"] * 60
    assert [look.parameters["ProjectionExpression"] for look in looks] == ["cancel_requested_at"] * 30
    assert all(look.parameters["ConsistentRead"] for look in looks)
    assert run.row.lease_expires_at == "2026-11-22T12:02:30.000000Z"


def test_lease_that_is_renewed_keeps_the_reconciler_away(run: StreamRun) -> None:
    recording = run.sent()
    watched(run, recording, 800)
    assert run.due() == []
    assert run.deps.ledger.close(recording.opening, a_closing())


def test_run_without_renewals_is_left_to_the_reconciler(run: StreamRun) -> None:
    """A run that was killed, 90 seconds after its last renewal and the allowance for clock skew."""
    watched(run, run.sent(), 60)
    run.clock.pass_seconds(119)
    assert run.due() == []
    run.clock.pass_seconds(1)
    assert [each.state for each in run.due()] == [State.SENT]


def test_cancelled_run_ends_with_an_unknown_outcome(run: StreamRun) -> None:
    recording = run.sent()
    watched(run, recording, 3)
    assert cancel(run)
    with pytest.raises(Failure) as caught:
        watched(run, recording, 2)
    assert (caught.value.error.code, caught.value.effect, caught.value.is_counted) == (
        "cancelled", Effect.UNKNOWN, False,
    )  # fmt: skip
    assert caught.value.error.execution_id == EXECUTION_ID


@pytest.mark.parametrize("state", [State.FAILED, State.LOST])
def test_cancellation_is_recorded_with_its_generation_id_and_replayed(run: StreamRun, state: State) -> None:
    """A repeat of the request gets the same error, also after the reconciler has recorded the cost."""

    def call() -> None:
        with run.recording() as recording:
            recording.record_generation_id("gen-7")
            cancel(run)
            watched(run, recording, 2)

    with pytest.raises(Cancelled) as caught:
        call()
    assert (run.row.state, run.row.error_code) == (State.UNKNOWN, "cancelled")
    run.clock.pass_seconds(20)
    (open_run,) = run.due()
    assert (open_run.generation_id, open_run.error_code) == ("gen-7", "cancelled")
    assert _replayed(run) == caught.value.body()
    receipt = Receipt(generation_id="gen-7")
    closing = a_closing(state, error_code="cancelled", receipt=receipt, answer=StoredAnswer(), reconciled=True)
    assert run.deps.ledger.close(open_run.opening, closing)
    assert _replayed(run) == caught.value.body()


def test_run_goes_on_when_its_row_cannot_be_read_or_renewed(run: StreamRun, caplog: pytest.LogCaptureFixture) -> None:
    recording = run.sent()
    before = run.row
    with faults("GetItem", *[lost_request] * 100), faults("UpdateItem", *[BROKEN] * 100):
        events = watched(run, recording, 31)
    assert events.names == ["idle"] * 31
    assert run.row == before
    assert {"a cancellation could not be looked for", "the lease of an execution was not renewed"} <= set(
        caplog.messages
    )
    watched(run, recording, 30)
    assert run.row.lease_expires_at == "2026-11-22T12:02:31.000000Z"


def test_run_whose_row_was_taken_over_goes_on(run: StreamRun) -> None:
    """It stalled for longer than its lease; its answer is recorded all the same."""
    recording = run.sent()
    run.clock.pass_seconds(120)
    (taken,) = run.due()
    run.deps.ledger.expire(taken.opening, a_closing(State.UNKNOWN, error_code="outcome_unknown"), "2027")
    watched(run, recording, 31)
    assert run.row.state is State.UNKNOWN
    assert run.deps.ledger.close(recording.opening, a_closing())


def _replayed(run: StreamRun) -> Any:
    """Return the error of a repeated request."""
    with pytest.raises(Cancelled) as caught:
        replay_response(run.row, "f" * 64, run.deps)
    return caught.value.body()
