"""The contract of both ledgers: in DynamoDB, and in memory for the simulator."""

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from instant.domain.errors import BudgetExhausted
from instant.domain.executions.execution import Opening, OpenRun, State
from instant.domain.executions.receipt import Receipt
from tests.fakes.builders import a_closing, a_receipt, an_opening
from tests.integration.adapters.executions.ledger_sides import (
    BEFORE,
    LATE,
    LATER,
    NEVER,
    RENEWED,
    STEPS,
    WORST,
    InDynamo,
    InMemory,
    Step,
    Subject,
    bring_to,
    lost_closing,
    outcome,
    some_holds,
    unknown_closing,
)

INITIAL_STATES = [
    (kind, state)
    for kind in ("idempotent", "budgeted", "plain")
    for state in (None, *State)
    if (kind, state) != ("plain", State.RESERVED)
]
"""Each kind of call in each of its states; a plain call is never RESERVED."""


@pytest.fixture(params=["memory", "dynamo"])
def subject(request: pytest.FixtureRequest) -> Subject:
    return InMemory() if request.param == "memory" else InDynamo(request.getfixturevalue("cloud"))


@pytest.fixture(params=["idempotent", "budgeted", "plain"])
def opening(request: pytest.FixtureRequest, fresh: Callable[[str], str]) -> Opening:
    """A call of each kind, with its own resource, user and budgets."""
    kinds: dict[str, dict[str, Any]] = {
        "idempotent": {"fingerprint": "f" * 64},
        "budgeted": {"fingerprint": "f" * 64, "holds": some_holds(fresh("b"))},
        "plain": {},
    }
    owner = {"user_id": fresh("user"), "resource_id": fresh("res"), "api_key_id": "key_1"}
    return an_opening(fresh("exe"), **owner, **kinds[request.param])


DELETED = "deleted"
"""The row is deleted."""

R, S, U = State.RESERVED, State.SENT, State.UNKNOWN
ALLOWED: dict[str, dict[State | None, State | str]] = {
    "sent": {R: S, S: S},
    "record id": {S: S, U: U},
    "save result": {S: S, U: U},
    "save failure": {S: S, U: U},
    "renew": {R: R, S: S},
    "expire": {S: U},
    "release": {R: DELETED, S: DELETED},
    "reclaim": {R: DELETED},
    "done": {S: State.DONE, U: State.DONE},
    "failed": {S: State.FAILED, U: State.FAILED},
    "lost": {S: State.LOST, U: State.LOST},
    "lost with id": {S: State.LOST, U: State.LOST},
    "unknown": {S: U, U: U},
    "reschedule": {R: R, S: S, U: U},
}
"""The allowed transitions of the execution's own run, by source state; all others are rejected."""

RESULTS = {"expire": True, "reclaim": True, "done": True, "failed": True, "lost": True, "lost with id": True}
"""What these transitions return; the others return None."""

ANY_RUN = {"reclaim", "reclaim early"}
REJECTIONS = {
    "expire": False,
    "expire renewed": False,
    "reclaim": False,
    "reclaim early": False,
    "done": False,
    "failed": False,
    "lost": False,
    "lost with id": False,
    "release": None,
}
"""What these steps return if they are rejected; the others raise."""


def test_open_executions_are_listed_when_due(subject: Subject, opening: Opening) -> None:
    subject.ledger.open(opening)
    assert due(subject, opening, "2026-11-22T12:02:29.999999Z") is None
    assert due(subject, opening, "2026-11-22T12:02:30.000000Z") == OpenRun(opening=opening, state=opening.first_state)
    subject.ledger.reschedule(opening, LATE)
    assert due(subject, opening, "2026-11-22T13:59:59.999999Z") is None
    subject.ledger.mark_sent(opening)
    subject.ledger.record_generation_id(opening, "gen-7")
    assert due(subject, opening, LATE) == OpenRun(opening=opening, state=State.SENT, generation_id="gen-7")
    subject.ledger.mark_unknown(opening, unknown_closing(), BEFORE)
    finished_at = unknown_closing().finished_at
    assert due(subject, opening, BEFORE) == OpenRun(
        opening=opening, state=State.UNKNOWN, generation_id="gen-7", finished_at=finished_at,
        error_code="outcome_unknown",
    )  # fmt: skip
    subject.ledger.close(opening, a_closing())
    assert due(subject, opening, NEVER) is None


def test_renewed_lease_moves_the_reconciliation(subject: Subject, opening: Opening) -> None:
    subject.ledger.open(opening)
    subject.ledger.renew(opening, RENEWED)
    assert due(subject, opening, "2026-11-22T12:03:29.999999Z") is None
    assert due(subject, opening, "2026-11-22T12:03:30.000000Z") == OpenRun(
        opening=replace(opening, lease_expires_at=RENEWED), state=opening.first_state
    )
    found = subject.executions.get(opening.execution_id)
    assert found is not None
    assert found.lease_expires_at == RENEWED


def test_execution_with_a_renewed_lease_is_not_taken_over(subject: Subject, opening: Opening) -> None:
    """Neither by a reader of the earlier lease, nor before the new one ends."""
    bring_to(subject.ledger, opening, opening.first_state)
    subject.ledger.renew(opening, RENEWED)
    assert not subject.ledger.reclaim(opening.execution_id, LATER)
    subject.ledger.mark_sent(opening)
    assert not subject.ledger.expire(opening, unknown_closing(), LATER)
    assert subject.ledger.expire(replace(opening, lease_expires_at=RENEWED), unknown_closing(), LATER)


def test_run_ends_its_execution_after_its_lease_was_renewed(subject: Subject, opening: Opening) -> None:
    bring_to(subject.ledger, opening, State.SENT)
    subject.ledger.renew(opening, RENEWED)
    assert subject.ledger.close(opening, a_closing())


@pytest.mark.parametrize(("opening", "state"), INITIAL_STATES, indirect=["opening"])
def test_only_a_running_stream_of_its_user_can_be_cancelled(
    subject: Subject, opening: Opening, state: State | None
) -> None:
    for streamed, of in ((False, "own"), (True, "another"), (True, "own")):
        call = replace(opening, execution_id=f"{opening.execution_id}-{streamed}-{of}", streamed=streamed)
        bring_to(subject.ledger, call, state)
        before, user_id = subject.snapshot(), call.user_id if of == "own" else "user_another"
        is_allowed = streamed and of == "own" and state in {R, S}
        assert subject.cancellations.request(call.execution_id, user_id, LATER) == is_allowed
        assert subject.executions.is_cancelled(call.execution_id) == is_allowed
        assert is_allowed or subject.snapshot() == before


def test_repeated_cancellation_keeps_the_first_time(subject: Subject, opening: Opening) -> None:
    """The run can end its execution in any way after that."""
    opening = replace(opening, streamed=True)
    bring_to(subject.ledger, opening, S)
    for now in (LATER, LATE):
        assert subject.cancellations.request(opening.execution_id, opening.user_id, now)
    found = subject.executions.get(opening.execution_id)
    assert found is not None
    assert (found.streamed, found.cancel_requested_at, found.state) == (True, LATER, S)
    subject.ledger.mark_unknown(opening, unknown_closing(error_code="cancelled"), LATER)
    assert not subject.cancellations.request(opening.execution_id, opening.user_id, LATE)
    assert subject.ledger.close(opening, a_closing(State.FAILED, error_code="cancelled"))


def due(subject: Subject, opening: Opening, now: str) -> OpenRun | None:
    """Return the execution if it is due by then."""
    found = [run for run in subject.open_runs.due(now) if run.opening.execution_id == opening.execution_id]
    return found[0] if found else None


@pytest.mark.parametrize(("opening", "state"), INITIAL_STATES, indirect=["opening"])
def test_each_transition_requires_its_source_states_and_its_run(
    subject: Subject, opening: Opening, state: State | None
) -> None:
    """Each transition starts from the same snapshot, by the execution's own run and by another."""
    bring_to(subject.ledger, opening, state)
    snapshot, accepted = subject.snapshot(), 0
    for step, run in product([name for name in STEPS if name != "open"], ["own", "another"]):
        subject.restore(snapshot)
        target = ALLOWED.get(step, {}).get(state) if run == "own" or step in ANY_RUN else None
        caller = opening if run == "own" else replace(opening, run_id="run_of_another")
        if target is not None:
            assert STEPS[step](subject.ledger, caller) == RESULTS.get(step), (step, run)
            after = subject.executions.get(opening.execution_id)
            assert (after.state if after else DELETED) == target, (step, run)
            accepted += 1
            continue
        assert outcome(STEPS[step], subject.ledger, caller) == REJECTIONS.get(step, "rejected"), (step, run)
        assert subject.snapshot() == snapshot, (step, run)
    assert accepted == sum(state in states for states in ALLOWED.values()) + (state is State.RESERVED)


@pytest.mark.parametrize(("opening", "state"), INITIAL_STATES, indirect=["opening"])
def test_execution_is_opened_once(subject: Subject, opening: Opening, state: State | None) -> None:
    """Another run gets the existing execution; a second open by the same run is a retry."""
    bring_to(subject.ledger, opening, state)
    existing, snapshot = subject.executions.get(opening.execution_id), subject.snapshot()
    other = replace(opening, run_id="run_of_another")
    if existing is None:
        assert subject.ledger.open(other) is None
        return
    assert subject.ledger.open(other) == existing
    assert subject.ledger.open(opening) is None
    assert subject.snapshot() == snapshot


def test_open_with_other_holds_is_not_a_retry(subject: Subject, fresh: Callable[[str], str]) -> None:
    """A delayed first attempt is not mistaken for the second."""
    first = an_opening(fresh("exe"), holds=some_holds(fresh("b")))
    second = replace(first, holds=some_holds(fresh("b")))
    subject.ledger.open(first)
    assert subject.ledger.open(second) == subject.executions.get(first.execution_id)
    assert set(subject.sums(second)[2].values()) == {(0, 0)}


def test_plain_call_opens_as_sent_and_others_as_reserved(subject: Subject, opening: Opening) -> None:
    subject.ledger.open(opening)
    found = subject.executions.get(opening.execution_id)
    assert found is not None
    assert (found.state, found.fingerprint) == (opening.first_state, opening.fingerprint)


@pytest.mark.parametrize(
    ("steps", "committed", "spent"),
    [
        ("open", WORST, 0),
        ("open sent", WORST, 0),
        ("open sent unknown", WORST, 0),
        ("open sent unknown reschedule", WORST, 0),
        ("open release", 0, 0),
        ("open sent release", 0, 0),
        ("open release release", 0, 0),
        ("open reclaim", 0, 0),
        ("open sent done", 5_920, 5_920),
        ("open sent done done lost", 5_920, 5_920),
        ("open sent unknown done", 5_920, 5_920),
        ("open sent failed", WORST, WORST),
        ("open sent lost", WORST, WORST),
        ("open sent unknown lost", WORST, 0),
        ("open sent unknown lost_with_id", 5_920, 5_920),
        ("open open sent sent done", 5_920, 5_920),
    ],
)
def test_hold_is_kept_until_it_is_spent_or_released(
    subject: Subject, fresh: Callable[[str], str], steps: str, committed: int, spent: int
) -> None:
    opening = an_opening(fresh("exe"), holds=some_holds(fresh("b")))
    for step in steps.split():
        STEPS[step.replace("_", " ")](subject.ledger, opening)
    assert set(subject.sums(opening)[2].values()) == {(committed, spent)}


def test_open_over_budget_holds_nothing(subject: Subject, fresh: Callable[[str], str]) -> None:
    holds = some_holds(fresh("b"))
    limited = (holds[0], replace(holds[1], cap_nanousd=2 * WORST))
    made = [an_opening(fresh("exe"), holds=limited) for _ in range(3)]
    subject.ledger.open(made[0])
    subject.ledger.open(made[1])
    with pytest.raises(BudgetExhausted) as caught:
        subject.ledger.open(made[2])
    assert caught.value.details == {"scope": "resource", "period": "month"}
    assert subject.executions.get(made[2].execution_id) is None
    assert set(subject.sums(made[0])[2].values()) == {(2 * WORST, 0)}
    subject.ledger.release(made[0])
    assert subject.ledger.open(made[2]) is None


def test_existing_execution_is_returned_even_without_budget(subject: Subject, fresh: Callable[[str], str]) -> None:
    opening = an_opening(fresh("exe"), fingerprint="f" * 64, holds=some_holds(fresh("b"), cap=WORST))
    subject.ledger.open(opening)
    existing = subject.ledger.open(replace(opening, run_id="run_of_another"))
    assert existing is not None
    assert existing.execution_id == opening.execution_id


def test_each_outcome_is_counted_by_its_status(subject: Subject, fresh: Callable[[str], str]) -> None:
    ends = {
        "good": a_closing(computed_nanousd=6_000),
        "failed": a_closing(State.FAILED, receipt=a_receipt(cost_nanousd=0)),
        "unpriced": a_closing(receipt=a_receipt(cost_nanousd=None), computed_nanousd=6_000),
        "lost": lost_closing(),
    }
    same: dict[str, Any] = {"user_id": fresh("user"), "resource_id": fresh("res")}
    opening = an_opening(**same)
    for end in ends.values():
        opening = an_opening(fresh("exe"), **same)
        bring_to(subject.ledger, opening, State.SENT)
        subject.ledger.close(opening, end)
    stats, usage, _ = subject.sums(opening)
    assert stats == {"calls": 4, "successes": 2, "failures": 2, "cost_nanousd": 5_920}
    assert usage == {
        "calls": 4, "successes": 2, "failures": 2, "lost": 1, "unpriced": 2, "prompt_tokens": 36,
        "completion_tokens": 102, "latency_ms": 1500, "timed": 3, "cost_nanousd": 5_920,
        "booked_nanousd": 5_920 + 2 * WORST, "billed_nanousd": 5_920, "computed_nanousd": 6_000,
    }  # fmt: skip


def test_late_answer_is_not_counted_as_a_failure(subject: Subject, opening: Opening) -> None:
    """The execution was marked UNKNOWN before, with an error code."""
    bring_to(subject.ledger, opening, State.UNKNOWN)
    subject.ledger.close(opening, a_closing())
    found = subject.executions.get(opening.execution_id)
    assert found is not None
    assert (found.state, found.error_code, found.answer) == (State.DONE, None, a_closing().answer)
    assert subject.sums(opening)[0] == {"calls": 1, "successes": 1, "cost_nanousd": 5_920}


LATE_ID = Receipt(generation_id="gen-late")


@pytest.mark.parametrize(
    "record",
    [
        lambda ledger, opening: ledger.record_generation_id(opening, "gen-late"),
        lambda ledger, opening: ledger.mark_unknown(opening, unknown_closing(receipt=LATE_ID), LATER),
    ],
    ids=["during the call", "at its end"],
)
def test_execution_with_a_generation_id_is_not_marked_lost(subject: Subject, opening: Opening, record: Step) -> None:
    """Its run recorded it after the reconciler had read the row."""
    bring_to(subject.ledger, opening, State.UNKNOWN)
    record(subject.ledger, opening)
    assert not subject.ledger.close(opening, lost_closing())
    found = subject.executions.get(opening.execution_id)
    assert found is not None
    assert found.state is State.UNKNOWN
    assert subject.ledger.close(opening, replace(lost_closing(), receipt=LATE_ID))
