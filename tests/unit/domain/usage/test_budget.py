"""Budgets: their periods in UTC, their rows, and the errors of a call that does not fit."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from instant.domain.errors import CostCap
from instant.domain.limits import RETRY_IN_FLIGHT
from instant.domain.usage.budget import (
    Budget,
    BudgetScope,
    Hold,
    Period,
    Subject,
    exhausted,
    holds,
    refuse_too_dear,
    rows,
    shares,
)

EAST = timezone(timedelta(hours=10))
LATE = datetime(2026, 12, 31, 23, 59, 58, 600_000, UTC)


@pytest.mark.parametrize("at", [LATE, LATE.astimezone(EAST)])
def test_periods_are_in_utc(at: datetime) -> None:
    assert (Period.DAY.starting(at), Period.MONTH.starting(at)) == ("2026-12-31", "2026-12")
    assert Period.DAY.end(at) == Period.MONTH.end(at) == datetime(2027, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "end"),
    [
        ((2026, 1, 1), (2026, 2, 1)),
        ((2026, 1, 31), (2026, 2, 1)),
        ((2026, 2, 1), (2026, 3, 1)),
        ((2028, 2, 29), (2028, 3, 1)),
        ((2026, 11, 30), (2026, 12, 1)),
    ],
)
def test_month_ends_at_the_first_of_the_next(at: tuple[int, int, int], end: tuple[int, int, int]) -> None:
    assert Period.MONTH.end(datetime(*at, 12, 34, 56, 789, tzinfo=UTC)) == datetime(*end, tzinfo=UTC)


@pytest.mark.parametrize("name", ["user#user_1", "api_key#key_1", "global#", "user#auth0|a#b"])
def test_subject_is_read_from_its_name(name: str) -> None:
    assert Subject.named(name).name == name


@pytest.mark.parametrize("scope", BudgetScope)
def test_only_budgets_of_all_users_have_several_rows(scope: BudgetScope) -> None:
    found = rows(Subject(scope, "a"), Period.MONTH, LATE)
    shards = 8 if scope in {BudgetScope.GLOBAL, BudgetScope.PLATFORM} else 1
    assert found == [f"spend#{scope}#a#2026-12#{shard}" for shard in range(shards)]
    (hold,) = holds([Budget(subject=Subject(scope, "a"), daily_nanousd=800)], LATE, 11)
    assert (hold.name[-2:], hold.cap_nanousd) == (("#3", 100) if shards == 8 else ("#0", 800))


def test_share_is_a_quarter_of_the_lower_limit_of_each_shared_budget() -> None:
    budgets = [
        Budget(subject=Subject(BudgetScope.GLOBAL), daily_nanousd=4_000, monthly_nanousd=2_000),
        Budget(subject=Subject(BudgetScope.RESOURCE, "res_1"), daily_nanousd=400),
        Budget(subject=Subject(BudgetScope.RESOURCE, "res_2")),
        Budget(subject=Subject(BudgetScope.USER, "user_1"), daily_nanousd=400),
    ]
    of_all = Hold("held#global##user_1", 500, BudgetScope.GLOBAL, Period.MONTH)
    of_resource = Hold("held#resource#res_1#user_1", 100, BudgetScope.RESOURCE, Period.DAY)
    assert shares(budgets, "user_1", owns_resource=False) == (of_all, of_resource)
    assert shares(budgets, "user_1", owns_resource=True) == (of_all,)


@pytest.mark.parametrize(("name", "room"), [("held#global##user_1", 0), ("spend#user#user_1#2026-12#0", -20)])
def test_only_a_share_always_has_room_for_one_call(name: str, room: int) -> None:
    hold = Hold(name, 80, BudgetScope.USER, Period.DAY)
    assert (hold.room(100), hold.room(80), hold.room(30)) == (room, 0, 50)


@pytest.mark.parametrize(("period", "words"), [(Period.DAY, "a day"), (Period.MONTH, "a month")])
def test_exhausted_budget_says_when_it_begins_again(period: Period, words: str) -> None:
    error = exhausted(Hold("spend#user#a#2026-12#0", 1, BudgetScope.USER, period), LATE)
    assert error.message == (
        f"Your budget for {words} has too little left for this call. The next period begins at 2027-01-01 00:00 UTC. "
        "Send less, wait, or have the budget raised."
    )
    assert (error.retry_after, error.details) == (2, {"scope": "user", "period": str(period)})
    assert not error.shard_full


@pytest.mark.parametrize(("scope", "is_full"), [(BudgetScope.PLATFORM, True), (BudgetScope.RESOURCE, False)])
def test_another_shard_is_tried_only_if_there_is_one(scope: BudgetScope, is_full: bool) -> None:
    assert exhausted(Hold("spend#x#a#2026-12-31#0", 1, scope, Period.DAY), LATE).shard_full is is_full


def test_full_share_can_be_retried_soon() -> None:
    error = exhausted(Hold("held#resource#res_1#user_1", 1, BudgetScope.RESOURCE, Period.DAY), LATE)
    assert error.message == (
        "Your calls in progress hold as much of the resource's budget for a day as one caller can. Retry when one of "
        "them has ended."
    )
    assert error.retry_after == RETRY_IN_FLIGHT
    assert error.details == {"scope": "resource", "period": "day", "limit": "share"}


@pytest.mark.parametrize(
    ("scope", "reveals_cost", "text", "details"),
    [
        (BudgetScope.USER, True, "up to 0.000000101 USD, which is more", {"worst_case_usd": "0.000000101"}),
        (BudgetScope.USER, False, "more", {}),
        (BudgetScope.GLOBAL, True, "more", {}),
    ],
)
def test_call_over_a_whole_budget_names_its_cost_only_to_who_may_know_it(
    scope: BudgetScope, reveals_cost: bool, text: str, details: dict[str, str]
) -> None:
    hold = Hold("spend#x#a#2026-12#0", 100, scope, Period.MONTH)
    refuse_too_dear([hold], 100, reveals_cost=reveals_cost)
    with pytest.raises(CostCap) as caught:
        refuse_too_dear([hold], 101, reveals_cost=reveals_cost)
    assert caught.value.message.startswith(f"This call could cost {text} than ")
    assert caught.value.message.endswith(
        " budget for a month allows for one call. Send less, or have the budget raised."
    )
    assert caught.value.details == {**details, "scope": str(scope), "period": "month"}


def test_share_of_all_users_budgets_does_not_limit_one_call() -> None:
    refuse_too_dear([Hold("held#global##user_1", 1, BudgetScope.GLOBAL, Period.DAY)], 10, reveals_cost=True)
