"""The counters that the end of an execution adds to: of its resource, of its user, and of its budgets."""

from typing import Any

import pytest

from instant.adapters.executions.ledger_counts import hold_name, reservations, settlements, stats_updates, usage_update
from instant.domain.executions.execution import Closing, Opening, State
from instant.domain.executions.receipt import Receipt
from instant.domain.usage.budget import BudgetScope, Hold, Period
from tests.fakes.builders import a_closing, an_opening

RESOURCE = Hold("spend#resource#res_1#2026-11-22#0", 10**9, BudgetScope.RESOURCE, Period.DAY)
USER = Hold("spend#user#user_alice#2026-11-22#0", 10**9, BudgetScope.USER, Period.DAY)


def numbers(update: dict[str, Any]) -> dict[str, int]:
    """The numbers in an update, by name."""
    return {name[1:]: int(value["N"]) for name, value in update["ExpressionAttributeValues"].items() if "N" in value}


def usage(closing: Closing, opening: Opening | None = None) -> dict[str, int]:
    return numbers(usage_update("usage", opening or an_opening(), closing))


@pytest.mark.parametrize(
    ("cost", "computed", "billed", "compared"),
    [
        (500, 400, 500, 400),
        (None, 400, 0, 0),
        (500, None, 0, 0),
        (0, 400, 0, 400),
        (500, 0, 500, 0),
        (None, None, 0, 0),
    ],
)
def test_costs_are_compared_only_if_both_are_known(
    cost: int | None, computed: int | None, billed: int, compared: int
) -> None:
    closing = a_closing(receipt=Receipt(cost_nanousd=cost), computed_nanousd=computed)
    found = usage(closing)
    assert (found["billed_nanousd"], found["computed_nanousd"]) == (billed, compared)
    assert (found["cost_nanousd"], found["unpriced"]) == (cost or 0, int(cost is None))
    assert found["booked_nanousd"] == (700_000 if cost is None else cost)


def test_usage_is_spread_over_shards() -> None:
    buckets = {
        usage_update("usage", an_opening(f"exe_{number}"), a_closing())["Key"]["bucket"]["S"].split("#")[1]
        for number in range(100)
    }
    assert buckets == {str(shard) for shard in range(8)}


@pytest.mark.parametrize("by_owner", [None, False, True])
@pytest.mark.parametrize("state", [State.DONE, State.FAILED])
def test_calls_of_the_owner_are_counted_for_the_owner_too(by_owner: bool | None, state: State) -> None:
    found = numbers(stats_updates("stats", an_opening(by_owner=by_owner), a_closing(state))["stats:total"])
    own = {name: found.get(f"own_{name}") for name in ("successes", "failures")}
    outcome = {"successes": int(state is State.DONE), "failures": int(state is State.FAILED)}
    assert {name: found[name] for name in outcome} == outcome
    assert own == (outcome if by_owner else dict.fromkeys(outcome))


@pytest.mark.parametrize("reconciled", [False, True])
def test_time_of_the_last_call_is_not_set_back_by_the_reconciler(reconciled: bool) -> None:
    update = stats_updates("stats", an_opening(), a_closing(reconciled=reconciled))["stats:day"]
    now = update["ExpressionAttributeValues"][":now"]["S"]
    kept = "last_called_at = if_not_exists(last_called_at, :now)"
    assert (kept in update["UpdateExpression"], now) == (
        (True, "2026-11-22T12:00:00.000000Z") if reconciled else (False, "2026-11-22T12:00:00.500000Z")
    )


def test_only_others_of_a_resource_leave_room_for_its_owner() -> None:
    opening = an_opening(by_owner=False, holds=(RESOURCE, USER))
    found = reservations("limits", opening)
    others = numbers(found[hold_name(RESOURCE)])
    assert (others["nothing"], others["others"]) == (0, 3 * 10**9 - 4 * 700_000)
    assert not numbers(found[hold_name(USER)]).keys() & {"nothing", "others"}
    own = reservations("limits", an_opening(by_owner=True, holds=(RESOURCE,)))
    assert not numbers(own[hold_name(RESOURCE)]).keys() & {"nothing", "others"}


def test_lost_call_is_not_spent_in_budgets_that_users_share() -> None:
    opening = an_opening(holds=(RESOURCE, USER))
    found = settlements("limits", opening, a_closing(State.LOST, receipt=Receipt(), frees_shared=True))
    spent = {name: numbers(update)["spent"] for name, update in found.items()}
    assert spent == {hold_name(RESOURCE): 0, hold_name(USER): 700_000}
