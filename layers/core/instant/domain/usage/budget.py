"""Budgets: the maximum spending per day or month of a user, an API key, a resource, or the whole deployment.

Before a call is sent, its worst-case cost is reserved in every budget that applies to it; afterwards the reservation is
replaced with the actual cost. Days and months are in UTC.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from math import ceil

from instant.domain.errors import BudgetExhausted, CostCap, InvalidField
from instant.domain.limits import RETRY_IN_FLIGHT
from instant.domain.money import usd_text

GLOBAL_SHARDS = 8
"""Number of shards of a budget for all users' calls, so that no single row becomes a hot key."""


CALLERS = 4
"""A caller holds at most this part, a quarter, of a shared budget at once, so that no caller can hold all of it."""

_SHARE = "held#"


class BudgetScope(StrEnum):
    """The calls that a budget applies to."""

    USER = "user"
    API_KEY = "api_key"
    RESOURCE = "resource"
    GLOBAL = "global"
    PLATFORM = "platform"
    PLATFORM_USER = "platform_user"

    @property
    def is_sharded(self) -> bool:
        """Whether its spending is in several rows, since it applies to the calls of all users."""
        return self in {BudgetScope.GLOBAL, BudgetScope.PLATFORM}

    @property
    def is_shared(self) -> bool:
        """Whether it applies to calls of several users."""
        return self.is_sharded or self is BudgetScope.RESOURCE


class Period(StrEnum):
    """The period of a budget."""

    DAY = "day"
    MONTH = "month"

    def starting(self, at: datetime) -> str:
        """The period that contains `at`: `2026-11-27` or `2026-11`."""
        return f"{at.astimezone(UTC):%Y-%m-%d}" if self is Period.DAY else f"{at.astimezone(UTC):%Y-%m}"

    def end(self, at: datetime) -> datetime:
        """The end of the period that contains `at`."""
        midnight = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        if self is Period.DAY:
            return midnight + timedelta(days=1)
        return (midnight.replace(day=1) + timedelta(days=32)).replace(day=1)


@dataclass(frozen=True, slots=True)
class Subject:
    """The subject of a budget: a scope, and the id of a user, an API key or a resource in it."""

    scope: BudgetScope
    subject_id: str = ""

    @property
    def name(self) -> str:
        """The subject as part of a row's key: `user#user_1`."""
        return f"{self.scope}#{self.subject_id}"

    @classmethod
    def named(cls, name: str) -> "Subject":
        """Parse a `name`."""
        scope, _, subject_id = name.partition("#")
        return cls(BudgetScope(scope), subject_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """The limits of a budget in nano-USD; None: no limit."""

    subject: Subject
    daily_nanousd: int | None = None
    monthly_nanousd: int | None = None

    def caps(self) -> Iterator[tuple[Period, int]]:
        """The limits that are set, by period."""
        for period, cap in ((Period.DAY, self.daily_nanousd), (Period.MONTH, self.monthly_nanousd)):
            if cap is not None:
                yield period, cap


@dataclass(frozen=True, slots=True)
class Spending:
    """The amounts spent in a period, and reserved for calls that are not settled, in nano-USD."""

    spent_nanousd: int = 0
    reserved_nanousd: int = 0

    def left(self, cap_nanousd: int) -> int:
        """The remaining amount: the limit less spent and reserved, at least 0."""
        return max(0, cap_nanousd - self.spent_nanousd - self.reserved_nanousd)


@dataclass(frozen=True, slots=True)
class Hold:
    """A budget row in which a call reserves money, and the limit of that row.

    A share is the row of one caller's open calls under a shared budget; nothing is ever spent in it.
    """

    name: str
    cap_nanousd: int
    scope: BudgetScope
    period: Period

    @property
    def is_share(self) -> bool:
        """Whether it limits what one caller holds at once."""
        return self.name.startswith(_SHARE)

    def room(self, worst_nanousd: int) -> int:
        """The maximum that can be committed before this call; a share always has room for one call."""
        room = self.cap_nanousd - worst_nanousd
        return max(0, room) if self.is_share else room


def holds(budgets: Iterable[Budget], at: datetime, shard: int) -> tuple[Hold, ...]:
    """The rows in which a call at this time must reserve money; for a shared budget, one of its equal shards."""
    return tuple(
        _hold(budget.subject, period, cap, at, shard % GLOBAL_SHARDS)
        for budget in budgets
        for period, cap in budget.caps()
    )


def shares(budgets: Iterable[Budget], user_id: str, *, owns_resource: bool) -> tuple[Hold, ...]:
    """The rows that limit what this caller holds at once: a quarter of each shared budget.

    The owner of a resource can hold all of the resource's budget.
    """
    return tuple(
        _share(budget, user_id)
        for budget in budgets
        if budget.subject.scope.is_shared
        and any(True for _ in budget.caps())
        and not (owns_resource and budget.subject.scope is BudgetScope.RESOURCE)
    )


def rows(subject: Subject, period: Period, at: datetime) -> list[str]:
    """The names of the rows whose sum is the amount spent."""
    shards = range(GLOBAL_SHARDS) if subject.scope.is_sharded else (0,)
    return [_row(subject, period, at, shard) for shard in shards]


def refuse_too_dear(wanted: Sequence[Hold], worst_nanousd: int, *, reveals_cost: bool) -> None:
    """Raise `CostCap` if the worst case exceeds a whole budget, even an unspent one.

    A caller who does not own the resource is refused above a share of its budget: one call could hold all of it.
    """
    for hold in sorted(wanted, key=lambda hold: hold.is_share):
        limits_one_call = not hold.is_share or hold.scope is BudgetScope.RESOURCE
        if limits_one_call and worst_nanousd > hold.cap_nanousd:
            raise _too_dear(hold, worst_nanousd, reveals_cost=reveals_cost)


def exhausted(hold: Hold, at: datetime) -> BudgetExhausted:
    """The error for a call that exceeds the remaining budget; the amount is shown only to the budget's owner."""
    if hold.is_share:
        return _share_full(hold)
    end = hold.period.end(at)
    error = BudgetExhausted(
        f"{_words(hold)[0].upper()}{_words(hold)[1:]} has too little left for this call. The next period begins at "
        f"{end:%Y-%m-%d %H:%M} UTC. Send less, wait, or have the budget raised.",
        details={"scope": hold.scope, "period": hold.period},
        retry_after=ceil((end - at).total_seconds()),
    )
    error.shard_full = hold.scope.is_sharded
    return error


def too_many(most: int) -> InvalidField:
    """The error for exceeding the maximum number of budgets per owner."""
    return InvalidField.named("scope", f"you have {most} budgets, which is the maximum; remove one first")


def _hold(subject: Subject, period: Period, cap: int, at: datetime, shard: int) -> Hold:
    if subject.scope.is_sharded:
        return Hold(_row(subject, period, at, shard), cap // GLOBAL_SHARDS, subject.scope, period)
    return Hold(_row(subject, period, at, 0), cap, subject.scope, period)


def _share(budget: Budget, user_id: str) -> Hold:
    """One row for both periods, since a call holds as much in each; the lower limit applies."""
    period, cap = min(budget.caps(), key=lambda limit: limit[1])
    name = f"{_SHARE}{budget.subject.name}#{user_id}"
    return Hold(name, cap // CALLERS, budget.subject.scope, period)


def _too_dear(hold: Hold, worst_nanousd: int, *, reveals_cost: bool) -> CostCap:
    """The amount is compared with a budget, so it is named only to a caller who may know both."""
    is_named = reveals_cost and not hold.scope.is_sharded
    cost = f"up to {usd_text(worst_nanousd)} USD, which is more" if is_named else "more"
    most, remedy = f"{_words(hold)} allows for one call", "have the budget raised"
    if hold.is_share:
        most = f"a quarter of {_words(hold)}, which is the maximum for one call of another user"
        remedy = "ask the owner of the resource: the owner can raise the budget"
    worst = {"worst_case_usd": usd_text(worst_nanousd)} if is_named else {}
    limit = {"limit": "share"} if hold.is_share else {}
    return CostCap(
        f"This call could cost {cost} than {most}. Send less, or {remedy}.",
        details={**worst, "scope": hold.scope, "period": hold.period, **limit},
    )


def _share_full(hold: Hold) -> BudgetExhausted:
    """The error for a caller whose open calls hold a whole share."""
    return BudgetExhausted(
        f"Your calls in progress hold as much of {_words(hold)} as one caller can. Retry when one of them has ended.",
        details={"scope": hold.scope, "period": hold.period, "limit": "share"},
        retry_after=RETRY_IN_FLIGHT,
    )


def _row(subject: Subject, period: Period, at: datetime, shard: int) -> str:
    return f"spend#{subject.name}#{period.starting(at)}#{shard}"


def _words(hold: Hold) -> str:
    whose = {
        BudgetScope.USER: "your",
        BudgetScope.API_KEY: "this API key's",
        BudgetScope.RESOURCE: "the resource's",
        BudgetScope.GLOBAL: "the platform's",
        BudgetScope.PLATFORM: "the platform's own",
        BudgetScope.PLATFORM_USER: "your share of the platform's",
    }[hold.scope]
    return f"{whose} budget for {'a day' if hold.period is Period.DAY else 'a month'}"
