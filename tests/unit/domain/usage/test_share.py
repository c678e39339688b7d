"""A call of another user is refused if it alone could hold more of a resource's budget than one caller may."""

import pytest

from instant.domain.errors import CostCap
from instant.domain.usage.budget import Budget, BudgetScope, Hold, Subject, holds, refuse_too_dear, shares
from tests.fakes.clock import START

CAP = 4_000_000


def wanted(*, owns_resource: bool, scope: BudgetScope = BudgetScope.RESOURCE) -> tuple[Hold, ...]:
    """Return the rows of a call under one budget whose lower limit is `CAP`."""
    budget = Budget(subject=Subject(scope, "res_1"), daily_nanousd=CAP, monthly_nanousd=9 * CAP)
    return (*shares([budget], "user_bob", owns_resource=owns_resource), *holds([budget], START, 0))


@pytest.mark.parametrize("reveals_cost", [True, False])
def test_call_of_another_user_above_a_quarter_is_refused(reveals_cost: bool) -> None:
    refuse_too_dear(wanted(owns_resource=False), CAP // 4, reveals_cost=reveals_cost)
    with pytest.raises(CostCap) as caught:
        refuse_too_dear(wanted(owns_resource=False), CAP // 4 + 4, reveals_cost=reveals_cost)
    assert "owner can raise" in caught.value.message
    assert ("0.001000004" in caught.value.message) is reveals_cost
    worst = {"worst_case_usd": "0.001000004"} if reveals_cost else {}
    assert caught.value.details == {**worst, "scope": "resource", "period": "day", "limit": "share"}


def test_owner_can_use_the_whole_budget_for_one_call() -> None:
    refuse_too_dear(wanted(owns_resource=True), CAP, reveals_cost=True)
    with pytest.raises(CostCap) as caught:
        refuse_too_dear(wanted(owns_resource=True), CAP + 1, reveals_cost=True)
    assert "limit" not in caught.value.details


def test_call_above_the_whole_budget_names_the_budget() -> None:
    with pytest.raises(CostCap) as caught:
        refuse_too_dear(wanted(owns_resource=False), CAP + 1, reveals_cost=False)
    assert "limit" not in caught.value.details


def test_budget_of_all_users_has_room_for_one_call_of_each() -> None:
    shard = wanted(owns_resource=False, scope=BudgetScope.GLOBAL)[-1].cap_nanousd
    refuse_too_dear(wanted(owns_resource=False, scope=BudgetScope.GLOBAL), min(shard, CAP // 8), reveals_cost=False)
