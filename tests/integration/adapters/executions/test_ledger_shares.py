"""Shares of budgets, outcomes that do not count and doubtful costs, in both ledgers."""

from collections.abc import Callable
from typing import Any

import pytest

from instant.domain.errors import BudgetExhausted
from instant.domain.executions.execution import Closing, KeySource, Opening, State
from instant.domain.executions.receipt import Receipt
from instant.domain.usage.budget import Budget, BudgetScope, Hold, Period, shares
from instant.domain.usage.budget import Subject as BudgetSubject
from tests.fakes.builders import a_closing, a_receipt, an_opening
from tests.integration.adapters.executions.ledger_sides import NEVER, WORST, InDynamo, InMemory, Subject, lost_closing

COST = 5_920
"""The cost of an ordinary closing."""


@pytest.fixture(params=["memory", "dynamo"])
def subject(request: pytest.FixtureRequest) -> Subject:
    return InMemory() if request.param == "memory" else InDynamo(request.getfixturevalue("cloud"))


@pytest.fixture
def call(fresh: Callable[[str], str]) -> Callable[..., Opening]:
    """A new execution by this user."""
    return lambda user_id="user_bob", **more: an_opening(fresh("exe"), user_id=user_id, **more)


def of_resource(name: str, cap: int, period: Period = Period.DAY) -> Hold:
    """The row of a resource's budget."""
    return Hold(f"spend#resource#{name}#2026-11-22#0", cap, BudgetScope.RESOURCE, period)


def opens(subject: Subject, opening: Opening) -> bool:
    """Whether the execution is opened."""
    try:
        return subject.ledger.open(opening) is None
    except BudgetExhausted:
        return False


def share(name: str, calls: int, user_id: str = "user_bob") -> Hold:
    """A caller's share of a resource's budget, with room for so many calls."""
    budget = Budget(subject=BudgetSubject(BudgetScope.RESOURCE, name), daily_nanousd=4 * calls * WORST)
    (hold,) = shares([budget], user_id, owns_resource=False)
    return hold


def test_share_limits_what_one_caller_holds_at_once(
    subject: Subject, call: Callable[..., Opening], fresh: Callable[[str], str]
) -> None:
    name = fresh("b")
    first, second, third = (call(holds=(share(name, 2),)) for _ in range(3))
    assert [opens(subject, opening) for opening in (first, second, third)] == [True, True, False]
    assert opens(subject, call("user_carol", holds=(share(name, 2, "user_carol"),)))
    subject.ledger.mark_sent(first)
    subject.ledger.close(first, a_closing())
    assert opens(subject, third)
    assert set(subject.sums(third)[2].values()) == {(2 * WORST, 0)}


def test_share_that_is_full_names_a_short_wait(
    subject: Subject, call: Callable[..., Opening], fresh: Callable[[str], str]
) -> None:
    name = fresh("b")
    subject.ledger.open(call(holds=(share(name, 1),)))
    with pytest.raises(BudgetExhausted) as caught:
        subject.ledger.open(call(holds=(share(name, 1),)))
    assert caught.value.details == {"scope": "resource", "period": "day", "limit": "share"}
    assert (caught.value.wait, caught.value.shard_full) == (2, False)


def test_share_below_one_call_has_room_for_one_call(
    subject: Subject, call: Callable[..., Opening], fresh: Callable[[str], str]
) -> None:
    hold = Hold(f"held#resource#{fresh('b')}#user_bob", 1, BudgetScope.RESOURCE, Period.DAY)
    first = call(holds=(hold,))
    assert [opens(subject, first), opens(subject, call(holds=(hold,)))] == [True, False]
    subject.ledger.release(first)
    assert opens(subject, call(holds=(hold,)))


def test_others_leave_a_share_to_the_owner(
    subject: Subject, call: Callable[..., Opening], fresh: Callable[[str], str]
) -> None:
    holds = (of_resource(fresh("b"), 4 * WORST),)
    others = [call(f"user_{number}", by_owner=False, holds=holds) for number in range(8)]
    assert [opens(subject, opening) for opening in others].count(True) == 3
    owners = [call("user_owner", by_owner=True, holds=holds) for _ in range(2)]
    assert [opens(subject, opening) for opening in owners] == [True, False]
    for opening in (*others[:3], owners[0]):
        subject.ledger.release(opening)
    assert set(subject.sums(owners[0])[2].values()) == {(0, 0)}
    assert [opens(subject, opening) for opening in others].count(True) == 3


def test_share_of_the_owner_is_a_quarter_of_what_is_not_spent(
    subject: Subject, call: Callable[..., Opening], fresh: Callable[[str], str]
) -> None:
    holds = (of_resource(fresh("b"), 8 * WORST),)
    for by_owner in (True, False):
        spender = call(by_owner=by_owner, holds=holds)
        subject.ledger.open(spender)
        subject.ledger.mark_sent(spender)
        subject.ledger.close(spender, a_closing(receipt=a_receipt(cost_nanousd=2 * WORST)))
    others = [call(f"user_{number}", by_owner=False, holds=holds) for number in range(8)]
    assert [opens(subject, opening) for opening in others].count(True) == 3
    assert opens(subject, call(by_owner=True, holds=holds))


def test_single_call_of_others_can_use_the_whole_rest(
    subject: Subject, call: Callable[..., Opening], fresh: Callable[[str], str]
) -> None:
    holds = (of_resource(fresh("b"), WORST),)
    assert [opens(subject, call(by_owner=False, holds=holds)) for _ in range(2)] == [True, False]


def test_execution_of_an_earlier_version_settles_its_hold(
    subject: Subject, call: Callable[..., Opening], fresh: Callable[[str], str]
) -> None:
    """Its row does not say whether the owner called, so it counts as the owner's."""
    holds = (of_resource(fresh("b"), 4 * WORST),)
    older = call(by_owner=None, holds=holds)
    subject.ledger.open(older)
    subject.ledger.mark_sent(older)
    subject.ledger.close(older, a_closing(receipt=a_receipt(cost_nanousd=0)))
    others = [call(f"user_{number}", by_owner=False, holds=holds) for number in range(8)]
    assert [opens(subject, opening) for opening in others].count(True) == 3


@pytest.mark.parametrize("frees_shared", [True, False])
def test_lost_call_is_freed_only_in_shared_budgets(
    subject: Subject, call: Callable[..., Opening], fresh: Callable[[str], str], frees_shared: bool
) -> None:
    own = Hold(f"spend#user#{fresh('b')}#2026-11-22#0", 9 * WORST, BudgetScope.USER, Period.DAY)
    shared = (
        of_resource(fresh("b"), 9 * WORST),
        Hold(f"spend#global##{fresh('b')}#0", 9 * WORST, BudgetScope.GLOBAL, Period.DAY),
    )
    opening = call(by_owner=False, holds=(own, *shared))
    subject.ledger.open(opening)
    subject.ledger.mark_sent(opening)
    closing: dict[str, Any] = {"receipt": Receipt(), "error_code": "outcome_unknown", "frees_shared": frees_shared}
    subject.ledger.close(opening, a_closing(State.LOST, **closing))
    sums = subject.sums(opening)[2]
    assert sums[own.name] == (WORST, WORST)
    assert {sums[hold.name] for hold in shared} == {(0, 0) if frees_shared else (WORST, WORST)}


OUTCOMES: dict[str, tuple[Closing, bool, dict[str, int]]] = {
    "a success": (a_closing(), False, {"successes": 1}),
    "the owner's success": (a_closing(), True, {"successes": 1, "own_successes": 1}),
    "a failure": (a_closing(State.FAILED), False, {"failures": 1}),
    "the owner's failure": (a_closing(State.FAILED), True, {"failures": 1, "own_failures": 1}),
    "a failure of the caller": (a_closing(State.FAILED, counts=False), False, {}),
    "a loss by the caller": (a_closing(State.LOST, counts=False, error_code="outcome_unknown"), True, {}),
}


@pytest.mark.parametrize("name", OUTCOMES)
def test_statistics_count_what_the_resource_did(
    subject: Subject, call: Callable[..., Opening], fresh: Callable[[str], str], name: str
) -> None:
    closing, by_owner, counted = OUTCOMES[name]
    opening = call(fresh("user"), resource_id=fresh("res"), by_owner=by_owner)
    subject.ledger.open(opening)
    subject.ledger.close(opening, closing)
    stats, usage, _ = subject.sums(opening)
    assert stats == {"calls": 1, "cost_nanousd": COST, **counted}
    assert usage["successes"] + usage["failures"] == usage["calls"] == 1


def test_doubtful_cost_keeps_a_delivered_answer_open(
    subject: Subject, call: Callable[..., Opening], fresh: Callable[[str], str]
) -> None:
    opening = call(resource_id=fresh("res"), key_source=KeySource.CALLER, ciphertext_sha256="c" * 64, by_owner=False)
    subject.ledger.open(opening)
    receipt = a_receipt(cost_nanousd=None)
    doubted = a_closing(State.UNKNOWN, receipt=receipt, error_code=None, claimed_nanousd=10**15)
    subject.ledger.mark_unknown(opening, doubted, NEVER)
    (run,) = [run for run in subject.open_runs.due(NEVER) if run.opening == opening]
    assert (run.claimed_nanousd, run.was_delivered, run.generation_id) == (10**15, True, receipt.generation_id)
    assert run.receipt == receipt
    found = subject.executions.get(opening.execution_id)
    assert found is not None
    assert (found.state, found.was_delivered, found.receipt.cost_nanousd) == (State.UNKNOWN, True, None)
    assert subject.sums(opening)[0] == {}
    assert subject.ledger.close(opening, a_closing(receipt=a_receipt(cost_nanousd=10**15)))
    assert subject.sums(opening)[0]["cost_nanousd"] == 10**15


def test_lost_call_keeps_what_was_known_of_its_answer(subject: Subject, call: Callable[..., Opening]) -> None:
    opening = call()
    subject.ledger.open(opening)
    subject.ledger.mark_unknown(opening, a_closing(State.UNKNOWN, receipt=a_receipt(cost_nanousd=None)), NEVER)
    subject.ledger.close(opening, lost_closing())
    found = subject.executions.get(opening.execution_id)
    assert found is not None
    assert found.receipt == a_receipt(cost_nanousd=None)
