"""Budgets: request and response bodies."""

from decimal import Decimal
from typing import Annotated, Any, Literal, TypedDict, cast

from pydantic import BeforeValidator, ConfigDict, Field

from instant.domain.clock import format_time
from instant.domain.money import usd_text
from instant.domain.usage.budget import BudgetScope, Period
from instant.entrypoints.http.fields import Body, Id, Time, Usd, decimal_number, given
from instant.use_cases.usage.budgets import BudgetStatus

type SettableScope = Literal["user", "api_key", "resource", "global"]
type BudgetUsd = Annotated[
    Decimal, Field(strict=False, ge=0, le=1_000_000, max_digits=16, decimal_places=9), BeforeValidator(decimal_number)
]


def _scopes(*names: str) -> dict[str, Any]:
    return {"properties": {"scope": {"enum": names}}}


class NewBudget(Body):
    """The limits per day and per month in USD: 0 blocks all spend, null is no limit, both null delete the budget."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [
                {**_scopes("user", "global"), "not": given("id")},
                {"allOf": [_scopes("api_key", "resource"), given("id")]},
            ]
        }
    )

    scope: SettableScope = Field(
        description="The executions that count: `user`, all of yours, regardless of whose key pays; `api_key`, those "
        "made with this key of yours (a key with `manage` could raise its own budget: give it `execute` only); "
        "`resource`, those of this resource of yours, by all users; `global`, all executions, set by admins."
    )
    id: Id | None = Field(None, description="The id of the API key or resource; omitted for other scopes.")
    daily_usd: BudgetUsd | None
    monthly_usd: BudgetUsd | None


class SpentInPeriod(TypedDict):
    """The status of a budget in the current day or month."""

    period: Annotated[str, Field(description="The day or month, in UTC.", examples=["2026-11-27", "2026-11"])]
    spent_usd: Annotated[
        Usd | None,
        Field(description="Spend of calls that started since the limit was set; null (not counted) without a limit."),
    ]
    reserved_usd: Annotated[
        Usd | None, Field(description="Holds for calls whose cost is not known yet: their worst case.")
    ]
    left_usd: Annotated[Usd | None, Field(description="The limit minus spend and holds; null without a limit.")]
    resets_at: Time


class BudgetView(TypedDict):
    """A budget with its spend."""

    scope: SettableScope
    id: Annotated[str | None, Field(description="The API key or resource of the budget; null for other scopes.")]
    daily_usd: Annotated[Usd | None, Field(description="Null: no limit.")]
    monthly_usd: Annotated[Usd | None, Field(description="Null: no limit.")]
    day: SpentInPeriod
    month: SpentInPeriod


def budget_view(status: BudgetStatus) -> BudgetView:
    """A budget with its day and month; user ids are not exposed."""
    budget = status.budget
    subject = budget.subject
    return {
        "scope": cast(SettableScope, subject.scope.value),
        "id": subject.subject_id if subject.scope in {BudgetScope.API_KEY, BudgetScope.RESOURCE} else None,
        "daily_usd": usd_text(budget.daily_nanousd),
        "monthly_usd": usd_text(budget.monthly_nanousd),
        "day": _period_view(status, Period.DAY, budget.daily_nanousd),
        "month": _period_view(status, Period.MONTH, budget.monthly_nanousd),
    }


def _period_view(status: BudgetStatus, period: Period, cap_nanousd: int | None) -> SpentInPeriod:
    is_set, spending = cap_nanousd is not None, status.spending[period]
    return {
        "period": period.starting(status.at),
        "spent_usd": usd_text(spending.spent_nanousd) if is_set else None,
        "reserved_usd": usd_text(spending.reserved_nanousd) if is_set else None,
        "left_usd": usd_text(spending.left(cap_nanousd)) if cap_nanousd is not None else None,
        "resets_at": format_time(period.end(status.at)),
    }
