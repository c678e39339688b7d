"""Recording an execution on the DynamoDB ledger: the response and the row after each failure."""

import json
import logging
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from instant.adapters.executions.answer_store import S3AnswerStore
from instant.adapters.executions.history import DynamoExecutionHistory
from instant.adapters.executions.open_runs import DynamoOpenRuns
from instant.adapters.resources.stats import DynamoStatsStore
from instant.domain.clock import format_time, parse_time
from instant.domain.errors import (
    CredentialMissing,
    CredentialRejected,
    DeadlineExceeded,
    EmptyAnswer,
    InstantError,
    Internal,
    OutcomeUnknown,
    UpstreamError,
    UpstreamUnavailable,
)
from instant.domain.executions.execution import Execution, State, StoredAnswer
from instant.domain.executions.failure import Effect, Failure
from instant.domain.executions.output import Answer
from instant.domain.executions.prepared import Prepared, ServingModel
from instant.domain.executions.receipt import Receipt
from instant.domain.executions.token_usage import Usage
from instant.use_cases.executions.deps import LedgerDeps
from instant.use_cases.executions.record import SECONDS_TO_CLOSE, AlreadyRecorded, record
from instant.use_cases.executions.replay import replay_response
from tests.fakes.aws_faults import Fault, cancelled, failure, faults, lost_answer
from tests.fakes.builders import a_prepared, a_receipt
from tests.fakes.clock import START, FakeClock
from tests.integration.app import App
from tests.integration.ledgers import a_ledger

BROKEN: Fault = failure("InternalFailure")
REFUSED: Fault = failure("AccessDeniedException")


@dataclass
class Recorder:
    """One execution to record, and its result."""

    app: App
    prepared: Prepared
    clock: FakeClock = field(default_factory=FakeClock)
    ran: int = 0

    def __post_init__(self) -> None:
        """Use the tables and the bucket of the app."""
        self.answers = S3AnswerStore(self.app.name("MEDIA_BUCKET"))
        self._history = DynamoExecutionHistory(self.app.name("EXECUTIONS_TABLE"))
        self.open_runs = DynamoOpenRuns(self.app.name("EXECUTIONS_TABLE"))
        self._stats = DynamoStatsStore(self.app.name("RESOURCE_STATS_TABLE"))
        self.deps = LedgerDeps(
            ledger=a_ledger(self.app), executions=self._history, answers=self.answers, clock=self.clock
        )

    def run(self, call: Callable[[], Answer]) -> dict[str, Any]:
        """Record a call that takes half a second, and return its response."""
        try:
            with record(self.prepared, lambda: 120.0, self.deps) as recording:
                recording.mark_sent()
                self.ran += 1
                self.clock.pass_seconds(0.5)
                return recording.finish(call())
        except AlreadyRecorded as earlier:
            return replay_response(earlier.execution, self.prepared.fingerprint, self.deps)

    def fails(self, error: Exception) -> InstantError:
        """Record a call that fails, and return the error."""

        def call() -> Answer:
            raise error

        with pytest.raises(InstantError) as caught:
            self.run(call)
        return caught.value

    @property
    def row(self) -> Execution | None:
        """Return the ledger row, or None."""
        return self._history.get(self.prepared.execution_id)

    @property
    def found(self) -> Execution:
        """Return the ledger row, which must exist."""
        row = self.row
        assert row is not None
        return row

    @property
    def counts(self) -> tuple[int, int, int]:
        """Return the successes, failures and cost of the resource."""
        stats = self._stats.of(self.prepared.resource_id, START)
        return stats.success_count_30d, stats.failure_count_30d, stats.cost_nanousd_30d


@pytest.fixture
def recorder(cloud: App, fresh: Callable[[str], str]) -> Recorder:
    """A call with an idempotency key: reserved, then sent."""
    return Recorder(cloud, a_prepared(fresh("exe"), resource_id=fresh("res"), fingerprint="f" * 64))


@pytest.fixture
def plain(cloud: App, fresh: Callable[[str], str]) -> Recorder:
    """A call without an idempotency key."""
    return Recorder(cloud, a_prepared(fresh("exe"), resource_id=fresh("res")))


def answer(content: str = "Hello.") -> Answer:
    """A successful answer."""
    return Answer({"type": "text", "content": content}, a_receipt())


UNREPORTED = dict.fromkeys(("cached_tokens", "reasoning_tokens", "image_tokens", "web_searches"))
"""The detailed usage of a receipt without one."""


def test_success_is_returned_and_recorded(recorder: Recorder) -> None:
    body = recorder.run(answer)
    assert body == {
        "success": True,
        "execution_id": recorder.prepared.execution_id,
        "output": {"type": "text", "content": "Hello."},
        "model": "meadow/lark-mini-2026",
        "provider": "Meadow",
        "usage": {"prompt_tokens": 12, "completion_tokens": 34, "cost_usd": "0.00000592"} | UNREPORTED,
        "finish_reason": "stop",
    }
    assert (recorder.found.state, recorder.found.latency_ms, recorder.found.receipt) == (State.DONE, 500, a_receipt())
    assert json.loads(recorder.found.answer.text or "") == body
    assert recorder.counts == (1, 0, 5_920)


def test_call_is_marked_sent_before_it_is_made(recorder: Recorder) -> None:
    seen: list[State] = []

    def run() -> Answer:
        seen.append(recorder.found.state)
        return answer()

    recorder.run(run)
    assert seen == [State.SENT]


def test_large_answer_is_stored_in_the_bucket(recorder: Recorder) -> None:
    body = recorder.run(lambda: answer("long " * 5_000))
    assert recorder.found.answer.text is None
    assert json.loads(recorder.answers.read(recorder.found.answer) or "") == body


@pytest.mark.parametrize(
    ("error", "state", "cost"),
    [
        (Failure(CredentialRejected("Connect again."), receipt=Receipt(cost_nanousd=0)), State.FAILED, 0),
        (Failure(UpstreamUnavailable("Not reached."), effect=Effect.NONE), State.FAILED, 0),
        (UpstreamUnavailable("Not reached."), State.FAILED, 0),
        (Failure(EmptyAnswer("Nothing."), receipt=a_receipt(cost_nanousd=77)), State.FAILED, 77),
        (Failure(UpstreamError("Failed."), receipt=a_receipt(cost_nanousd=None)), State.FAILED, None),
        (Failure(UpstreamError("Unreadable."), effect=Effect.UNKNOWN), State.UNKNOWN, None),
        (Failure(OutcomeUnknown("Lost."), effect=Effect.UNKNOWN), State.UNKNOWN, None),
        (Failure(DeadlineExceeded("Late."), effect=Effect.UNKNOWN), State.UNKNOWN, None),
    ],
    ids=["rejected", "unreachable", "no receipt", "empty", "unknown cost", "unreadable", "lost", "late"],
)  # fmt: skip
def test_failure_is_returned_and_recorded_with_its_status(
    recorder: Recorder, error: Exception, state: State, cost: int | None
) -> None:
    raised = recorder.fails(error)
    assert raised is (error.error if isinstance(error, Failure) else error)
    assert raised.execution_id == recorder.prepared.execution_id
    row = recorder.found
    assert (row.state, row.error_code, row.receipt.cost_nanousd) == (state, raised.code, cost)
    assert json.loads(row.answer.text or "") == raised.body()
    counted = int(state is State.FAILED and not isinstance(raised, CredentialRejected))
    assert recorder.counts == (0, counted, cost or 0 if state is State.FAILED else 0)


@pytest.mark.parametrize("error", [ValueError("canary"), KeyError("canary"), RecursionError("canary")], ids=repr)
def test_unexpected_failure_is_unknown_and_hides_its_message(
    recorder: Recorder, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    raised = recorder.fails(error)
    assert type(raised) is Internal
    assert "canary" not in json.dumps(raised.body())
    assert (recorder.found.state, recorder.found.error_code, recorder.found.receipt) == (
        State.UNKNOWN,
        "internal",
        Receipt(),
    )
    assert recorder.counts == (0, 0, 0)
    assert "an execution failed unexpectedly" in caplog.text


def test_failed_open_runs_nothing(recorder: Recorder) -> None:
    with faults("PutItem", REFUSED), pytest.raises(ClientError):
        recorder.run(answer)
    assert recorder.ran == 0
    assert recorder.row is None


def test_execution_is_performed_once(recorder: Recorder) -> None:
    """Later runs return the result of the first."""
    first = recorder.run(answer)
    before = recorder.found
    assert json.dumps(recorder.run(answer)) == json.dumps(first)
    assert recorder.ran == 1
    assert recorder.found == before


def test_failed_mark_sent_releases_the_execution(recorder: Recorder) -> None:
    with faults("UpdateItem", REFUSED), pytest.raises(ClientError):
        recorder.run(answer)
    assert recorder.ran == 0
    assert recorder.row is None
    recorder.run(answer)
    assert recorder.counts == (1, 0, 5_920)


def test_unacknowledged_mark_sent_releases_the_execution(recorder: Recorder) -> None:
    """All three attempts are written and none is acknowledged."""
    with faults("UpdateItem", lost_answer, lost_answer, lost_answer), pytest.raises(ReadTimeoutError):
        recorder.run(answer)
    assert (recorder.ran, recorder.row) == (0, None)


def test_open_with_a_lost_acknowledgement_runs_once(recorder: Recorder) -> None:
    with faults("PutItem", lost_answer):
        recorder.run(answer)
    assert (recorder.ran, recorder.found.state, recorder.counts) == (1, State.DONE, (1, 0, 5_920))


def test_mark_sent_with_a_lost_acknowledgement_runs_once(recorder: Recorder) -> None:
    with faults("UpdateItem", lost_answer):
        recorder.run(answer)
    assert (recorder.ran, recorder.found.state, recorder.counts) == (1, State.DONE, (1, 0, 5_920))


def test_failed_mark_and_release_run_nothing(recorder: Recorder, caplog: pytest.LogCaptureFixture) -> None:
    with (
        faults("UpdateItem", REFUSED),
        faults("DeleteItem", BROKEN, BROKEN, BROKEN),
        pytest.raises(ClientError, match="UpdateItem") as caught,
    ):
        recorder.run(answer)
    assert "AccessDenied" in str(caught.value)  # the first failure is raised, not that of the cleanup
    assert recorder.ran == 0
    assert recorder.found.state is State.RESERVED
    assert "an execution was not released" in caplog.text


def test_answer_that_cannot_be_stored_is_still_returned(recorder: Recorder, caplog: pytest.LogCaptureFixture) -> None:
    class Full:
        """A bucket that rejects every write."""

        def keep(self, execution_id: str, text: str) -> StoredAnswer:
            """Fail."""
            raise OSError("no room")

        def read(self, answer: StoredAnswer) -> str | None:
            """Return nothing."""
            return None

    recorder.deps = replace(recorder.deps, answers=Full())
    assert recorder.run(answer)["output"] == {"type": "text", "content": "Hello."}
    assert (recorder.found.state, recorder.found.answer, recorder.counts) == (State.DONE, StoredAnswer(), (1, 0, 5_920))
    assert "an answer was not stored" in caplog.text


@pytest.mark.parametrize("fault", [REFUSED, cancelled("None", "ValidationError", "None")], ids=["refused", "cancelled"])
def test_paid_answer_is_returned_when_the_close_fails(
    recorder: Recorder, fault: Fault, caplog: pytest.LogCaptureFixture
) -> None:
    with faults("TransactWriteItems", fault):
        assert recorder.run(answer)["success"] is True
    assert (recorder.found.state, recorder.counts) == (State.SENT, (0, 0, 0))
    assert "an execution was not closed" in caplog.text
    after = format_time(parse_time("2026-11-22T12:02:00.000000Z") + timedelta(minutes=1))
    (left,) = [
        run for run in recorder.open_runs.due(after) if run.opening.execution_id == recorder.prepared.execution_id
    ]
    assert left.generation_id == "gen-1"  # so that the reconciler can query it


@pytest.mark.parametrize(
    ("operation", "error"),
    [
        ("TransactWriteItems", Failure(UpstreamError("Failed."), receipt=a_receipt())),
        ("UpdateItem", Failure(OutcomeUnknown("Lost."), effect=Effect.UNKNOWN)),
    ],
    ids=["failed", "unknown"],
)
def test_failure_is_returned_when_the_close_fails(recorder: Recorder, operation: str, error: Failure) -> None:
    first = () if operation == "TransactWriteItems" else (None,)
    with faults(operation, *first, REFUSED):
        assert recorder.fails(error) is error.error
    assert recorder.found.state is State.SENT
    assert recorder.counts == (0, 0, 0)


def test_close_with_a_lost_acknowledgement_is_recorded_once(recorder: Recorder) -> None:
    with faults("TransactWriteItems", lost_answer):
        recorder.run(answer)
    assert (recorder.found.state, recorder.counts) == (State.DONE, (1, 0, 5_920))


def test_conflict_at_the_close_is_retried(recorder: Recorder) -> None:
    conflict = cancelled("None", "TransactionConflict", "TransactionConflict")
    with faults("TransactWriteItems", conflict, conflict):
        recorder.run(answer)
    assert (recorder.found.state, recorder.counts) == (State.DONE, (1, 0, 5_920))


def test_log_does_not_contain_the_answer(recorder: Recorder, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="instant")
    with faults("TransactWriteItems", REFUSED):
        recorder.run(lambda: answer("canary"))
    mine = [str(record.__dict__) for record in caplog.records if record.name.startswith("instant")]
    assert mine
    assert [line for line in mine if "canary" in line] == []


def test_record_makes_three_writes_and_no_read(recorder: Recorder) -> None:
    assert _calls(recorder) == {"PutItem": 1, "UpdateItem": 1, "TransactWriteItems": 1}


def test_record_of_a_plain_call_makes_two_writes(plain: Recorder) -> None:
    assert _calls(plain) == {"PutItem": 1, "TransactWriteItems": 1}
    assert (plain.found.state, plain.counts) == (State.DONE, (1, 0, 5_920))


def test_plain_call_is_marked_sent_before_it_is_made(plain: Recorder) -> None:
    seen: list[State] = []

    def run() -> Answer:
        seen.append(plain.found.state)
        return answer()

    plain.run(run)
    assert seen == [State.SENT]


def test_plain_open_reported_as_failed_is_released(plain: Recorder) -> None:
    with faults("PutItem", lost_answer, lost_answer, lost_answer), pytest.raises(ReadTimeoutError):
        plain.run(answer)
    assert (plain.ran, plain.row) == (0, None)


def test_answer_is_returned_if_its_cost_cannot_be_computed(
    recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    broken = ServingModel(openrouter_id="meadow/lark-mini-2026", canonical_slug="", pricing=None)  # type: ignore[arg-type]
    recorder.prepared = replace(recorder.prepared, models=(broken,))
    receipt = a_receipt(usage=Usage(prompt_tokens=1, completion_tokens=1))
    body = recorder.run(lambda: Answer({"type": "text", "content": "Hello."}, receipt))
    assert (body["success"], recorder.found.state) == (True, State.DONE)
    assert "a cost was not computed" in caplog.text


@pytest.mark.parametrize("error", [CredentialMissing("Connect."), ClientError({}, "GetItem")], ids=["API error", "AWS"])
@pytest.mark.parametrize("kind", ["plain", "recorder"])
def test_error_before_sending_leaves_no_row(request: pytest.FixtureRequest, kind: str, error: Exception) -> None:
    recorder: Recorder = request.getfixturevalue(kind)
    with pytest.raises(type(error)) as caught, record(recorder.prepared, lambda: 120.0, recorder.deps):
        raise error
    assert caught.value is error
    assert (recorder.row, recorder.counts) == (None, (0, 0, 0))


def test_plain_call_that_is_not_sent_writes_nothing(plain: Recorder) -> None:
    refused = CredentialMissing("Connect.")
    with faults("PutItem") as puts, faults("DeleteItem") as deletes, suppress(CredentialMissing):
        with record(plain.prepared, lambda: 120.0, plain.deps):
            raise refused
        pytest.fail("the error was not raised")
    assert (puts.bodies, deletes.bodies) == ([], [])


def test_expired_deadline_opens_nothing(recorder: Recorder) -> None:
    with pytest.raises(UpstreamUnavailable), record(recorder.prepared, lambda: SECONDS_TO_CLOSE, recorder.deps):
        pytest.fail("the recording must not start")
    assert recorder.row is None


def _calls(recorder: Recorder) -> dict[str, int]:
    names = ("PutItem", "UpdateItem", "TransactWriteItems", "DeleteItem", "GetItem", "Query")
    with ExitStack() as stack:
        seen = {name: stack.enter_context(faults(name)) for name in names}
        recorder.run(answer)
    return {name: len(calls.bodies) for name, calls in seen.items() if calls.bodies}
