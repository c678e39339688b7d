"""A lost stream is continued: the prefix that a client has and the rest are the whole text, and the end is the same."""

import json
from dataclasses import replace
from typing import Any

import pytest

from instant.domain.access.identity import Identity, Scope
from instant.domain.errors import IdempotencyMismatch, InProgress, InstantError, NotFound, OutcomeUnknown, UpstreamError
from instant.domain.executions.execution import State
from instant.domain.executions.failure import Effect, Failure
from instant.domain.executions.idempotency import IdempotentRequest
from instant.domain.executions.output import Answer, Delta, ToolCallPiece
from instant.domain.executions.receipt import Receipt
from instant.use_cases.executions.streams.resume import join, resume
from tests.fakes.builders import a_closing, a_receipt
from tests.integration.app import App
from tests.integration.streams.runs import ALICE, EXECUTION_ID, Events, StreamRun, an_answer

TEXT = "Grüße 👩‍👩‍👧 und e\u0301: \u2028 done 🎉"
CALLS = [
    {"id": "call_1", "name": "look_up", "arguments": '{"q": 1}'},
    {"id": None, "name": "stop", "arguments": "{}"},
]
ANSWERS: dict[str, tuple[Answer, str]] = {
    "text": (an_answer(TEXT), TEXT),
    "no text": (an_answer(None, refusal="No."), ""),
    "JSON": (an_answer({"a": 1.0}, text='{"a":  1.0}', type="json"), '{"a":  1.0}'),
    "JSON like tool calls": (
        an_answer({"text": "x", "tool_calls": [CALLS[0]]}, text='{"text": "x"}', type="json"), '{"text": "x"}',
    ),
    "tool calls": (an_answer({"text": TEXT, "tool_calls": CALLS}, type="json"), TEXT),
    "images": (
        an_answer("Two.", type="image", urls=["/api/images/1", "/api/images/2"], tool_calls=CALLS,
                  media_types=("image/png", "image/webp")), "Two.",
    ),
    "a long text": (an_answer("word " * 3_000), "word " * 3_000),
}  # fmt: skip
"""Answers, with the text that their streams show."""


@pytest.fixture
def run(app: App) -> StreamRun:
    return StreamRun(app)


def resumed(run: StreamRun, after: int = 0, caller: Identity = ALICE) -> tuple[dict[str, Any], Events]:
    """Resume the execution; return the response and what was reported."""
    events = Events()
    return resume(EXECUTION_ID, after, caller, events, run.seconds_left, run.deps), events


def joined(run: StreamRun, fingerprint: str = "f" * 64) -> tuple[dict[str, Any] | None, Events]:
    """Send the same request again; return the response and what was reported."""
    events = Events()
    request = IdempotentRequest(EXECUTION_ID, fingerprint)
    return join(request, events, run.seconds_left, run.deps), events


@pytest.mark.parametrize("name", ANSWERS)
def test_prefix_and_rest_are_the_whole_text_at_every_position(run: StreamRun, name: str) -> None:
    answer, text = ANSWERS[name]
    stored = run.finished(answer)
    for after in range(0, len(text) + 1, max(1, len(text) // 40)):
        response, events = resumed(run, after)
        assert events.text_after(text[:after]) == text
        assert json.dumps(response) == json.dumps(stored)
        assert events.names[:2] == [f"joined {EXECUTION_ID} meadow/lark-mini", "started"]
        assert not any(delta.replace for delta in events.deltas if delta.text)


def test_position_past_the_end_replaces_the_whole_text(run: StreamRun) -> None:
    run.finished(an_answer(TEXT))
    _, events = resumed(run, len(TEXT) + 1)
    assert events.deltas == [Delta(text=TEXT, replace=True)]


def test_text_that_replaced_another_is_reported_as_a_whole(run: StreamRun) -> None:
    """What the client has may be the beginning of the other text."""
    run.finished(replace(an_answer(TEXT), is_replaced=True))
    for after in (1, len(TEXT)):
        assert resumed(run, after)[1].deltas == [Delta(text=TEXT, replace=True)]
    assert resumed(run)[1].deltas == [Delta(text=TEXT)]


def test_position_at_the_end_reports_no_text(run: StreamRun) -> None:
    run.finished(an_answer(TEXT))
    assert resumed(run, len(TEXT))[1].deltas == []


def test_reasoning_tool_calls_and_images_are_reported_as_a_whole(run: StreamRun) -> None:
    """Whatever the position: their pieces have none."""
    run.finished(replace(ANSWERS["images"][0], output={**ANSWERS["images"][0].output, "reasoning": "Hm."}))
    for after in (0, 4):
        _, events = resumed(run, after)
        assert events.deltas[-3:] == [
            Delta(reasoning="Hm.", replace=True),
            Delta(tool_call=ToolCallPiece(index=0, **CALLS[0]), replace=True),  # type: ignore[arg-type]
            Delta(tool_call=ToolCallPiece(index=1, **CALLS[1]), replace=True),  # type: ignore[arg-type]
        ]
        assert events.images == [("/api/images/1", "image/png"), ("/api/images/2", "image/webp")]


def test_response_of_an_earlier_version_is_resumed(run: StreamRun) -> None:
    """It has no private facts: types of images are unknown, and so is the text of JSON."""
    painting = an_answer("Two.", type="image", urls=["/api/images/1"])
    run.finished(painting)
    assert resumed(run)[1].images == [("/api/images/1", None)]
    run.app.empty()
    run.finished(an_answer({"a": "ä"}, type="json"))
    assert resumed(run)[1].text_after("") == ""


def test_execution_in_progress_is_awaited(run: StreamRun) -> None:
    recording = run.sent()
    run.clock.plan = {3: lambda: recording.finish(an_answer(TEXT))}
    response, events = resumed(run, 5)
    assert events.names == [f"joined {EXECUTION_ID} meadow/lark-mini", "idle", "idle", "idle", "started", "delta"]
    assert run.clock.sleeps == [1, 1, 1]
    assert (events.text_after(TEXT[:5]), response) == (TEXT, resumed(run)[0])


def test_wait_ends_before_the_invocation_does(run: StreamRun) -> None:
    recording = run.sent()
    run.clock.plan = {
        number: lambda: run.deps.ledger.renew(recording.opening, "2027-01-01T00:00:00.000000Z") for number in (1,)
    }
    with pytest.raises(InProgress) as caught:
        resumed(run)
    assert 9 <= run.seconds_left() < 10
    assert (caught.value.execution_id, caught.value.retryable) == (EXECUTION_ID, True)


def test_killed_run_has_an_unknown_outcome_when_its_lease_is_over(run: StreamRun) -> None:
    """90 seconds after its last renewal, and the allowance for clock skew."""
    run.sent()
    with pytest.raises(OutcomeUnknown) as caught:
        resumed(run)
    assert caught.value.execution_id == EXECUTION_ID
    assert len(run.clock.sleeps) == 121


@pytest.mark.parametrize("state", [State.UNKNOWN, State.LOST])
def test_unknown_outcome_is_reported_as_by_a_repeat(run: StreamRun, state: State) -> None:
    recording = run.sent()
    unknown = a_closing(State.UNKNOWN, receipt=Receipt(), error_code="outcome_unknown")
    run.deps.ledger.mark_unknown(recording.opening, unknown, "2027-01-01T00:00:00.000000Z")
    if state is State.LOST:
        run.deps.ledger.close(recording.opening, replace(unknown, state=State.LOST, reconciled=True))
    with pytest.raises(OutcomeUnknown):
        resumed(run)
    assert run.clock.sleeps == []


def test_failure_is_raised_as_it_was_stored(run: StreamRun) -> None:
    failure = Failure(UpstreamError("It failed."), receipt=a_receipt())
    with pytest.raises(UpstreamError) as first, run.recording():
        raise failure
    with pytest.raises(UpstreamError) as again:
        resumed(run)
    assert again.value.body() == first.value.body()


def test_answer_with_an_implausible_cost_is_resumed(run: StreamRun) -> None:
    """It was delivered, although its outcome is not recorded yet."""
    stored = run.finished(replace(an_answer(TEXT), receipt=a_receipt(cost_nanousd=10**15)))
    assert run.row.state is State.UNKNOWN
    assert resumed(run)[0] == stored


@pytest.mark.parametrize(
    "caller",
    [
        Identity("user_bob", frozenset(Scope)),
        Identity("user_alice", frozenset({Scope.EXECUTE}), key_id="key_2"),
        Identity("user_alice", frozenset({Scope.EXECUTE})),
    ],
)
def test_execution_that_the_caller_may_not_read_is_missing(run: StreamRun, caller: Identity) -> None:
    run.prepared = replace(run.prepared, api_key_id="key_1")
    run.finished(an_answer(TEXT))
    events = Events()
    with pytest.raises(NotFound):
        resume(EXECUTION_ID, 0, caller, events, run.seconds_left, run.deps)
    assert events.names == []
    own = Identity("user_alice", frozenset({Scope.EXECUTE}), key_id="key_1")
    assert resumed(run, caller=own)[1].text_after("") == TEXT


def test_execution_that_is_rolled_back_meanwhile_is_missing(run: StreamRun) -> None:
    recording = run.sent()
    run.clock.plan = {2: recording.release}
    with pytest.raises(NotFound):
        resumed(run)


def test_same_request_joins_the_first_one(run: StreamRun) -> None:
    recording = run.sent()
    run.clock.plan = {2: lambda: recording.finish(an_answer(TEXT))}
    response, events = joined(run)
    assert events.names == [f"joined {EXECUTION_ID} meadow/lark-mini", "idle", "idle", "started", "delta"]
    assert (events.text_after(""), response) == (TEXT, resumed(run)[0])


def test_first_request_joins_nothing(run: StreamRun) -> None:
    assert joined(run)[0] is None
    assert joined(run)[1].names == []


def test_request_executes_when_the_first_one_was_rolled_back_meanwhile(run: StreamRun) -> None:
    recording = run.sent()
    run.clock.plan = {2: recording.release}
    response, events = joined(run)
    assert (response, events.names[1:]) == (None, ["idle", "idle"])


def test_another_request_with_the_same_key_is_rejected_at_once(run: StreamRun) -> None:
    run.sent()
    events = Events()
    with pytest.raises(IdempotencyMismatch):
        join(IdempotentRequest(EXECUTION_ID, "0" * 64), events, run.seconds_left, run.deps)
    assert (events.names, run.clock.sleeps) == ([], [])


def test_same_request_gets_the_same_error(run: StreamRun) -> None:
    with pytest.raises(InstantError) as first, run.recording():
        raise Failure(UpstreamError("It failed."), effect=Effect.KNOWN)
    with pytest.raises(UpstreamError) as again:
        joined(run)
    assert again.value.body() == first.value.body()
