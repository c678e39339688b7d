"""Budgets: the most that may be spent in a day or a month, on behalf of a user, a key, a resource, or of all.

A call holds back the most that it can cost from every budget that it falls under, before it is sent; afterwards
what it really cost is booked instead. Days and months are UTC's.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from math import ceil

from instant.domain.errors import BudgetExhausted, CostCap, InvalidField
from instant.domain.money import usd_text

GLOBAL_SHARDS = 8
"""Into how many shards a budget of everybody's calls is split, so that no single row becomes the bottleneck."""


class BudgetScope(StrEnum):
    """Whose calls a budget is for."""

    USER = "user"
    API_KEY = "api_key"
    RESOURCE = "resource"
    GLOBAL = "global"
    PLATFORM = "platform"
    PLATFORM_USER = "platform_user"

    @property
    def is_shared(self) -> bool:
        """Whether calls of all users fall under it."""
        return self in {BudgetScope.GLOBAL, BudgetScope.PLATFORM}


class Period(StrEnum):
    """For how long a budget lasts."""

    DAY = "day"
    MONTH = "month"

    def starting(self, at: datetime) -> str:
        """The period that `at` is in: `2026-11-27` or `2026-11`."""
        return f"{at.astimezone(UTC):%Y-%m-%d}" if self is Period.DAY else f"{at.astimezone(UTC):%Y-%m}"

    def end(self, at: datetime) -> datetime:
        """When the period that `at` is in is over."""
        midnight = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        if self is Period.DAY:
            return midnight + timedelta(days=1)
        return (midnight.replace(day=1) + timedelta(days=32)).replace(day=1)


@dataclass(frozen=True, slots=True)
class Subject:
    """What a budget is of: a scope, and in it a user, a key or a resource by id."""

    scope: BudgetScope
    subject_id: str = ""

    @property
    def name(self) -> str:
        """As part of a row's key: `user#user_1`."""
        return f"{self.scope}#{self.subject_id}"

    @classmethod
    def named(cls, name: str) -> "Subject":
        """The subject whose `name` this is."""
        scope, _, subject_id = name.partition("#")
        return cls(BudgetScope(scope), subject_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What may be spent at most, in nano-USD; None: no limit."""

    subject: Subject
    daily_nanousd: int | None = None
    monthly_nanousd: int | None = None

    def caps(self) -> Iterator[tuple[Period, int]]:
        """The limits that there are."""
        for period, cap in ((Period.DAY, self.daily_nanousd), (Period.MONTH, self.monthly_nanousd)):
            if cap is not None:
                yield period, cap


@dataclass(frozen=True, slots=True)
class Spending:
    """What was spent in a period, and what is held back for calls that are not settled, in nano-USD."""

    spent_nanousd: int = 0
    reserved_nanousd: int = 0

    def left(self, cap_nanousd: int) -> int:
        """What is neither spent nor held back; nothing where the limit was lowered below that."""
        return max(0, cap_nanousd - self.spent_nanousd - self.reserved_nanousd)


@dataclass(frozen=True, slots=True)
class Hold:
    """A row in which a call holds money back, and how much the row may hold in all."""

    name: str
    cap_nanousd: int
    scope: BudgetScope
    period: Period


def holds(budgets: Iterable[Budget], at: datetime, shard: int) -> tuple[Hold, ...]:
    """Where a call at this time must hold money back; of shared budgets in one of `GLOBAL_SHARDS` equal shards."""
    return tuple(
        _hold(budget.subject, period, cap, at, shard % GLOBAL_SHARDS)
        for budget in budgets
        for period, cap in budget.caps()
    )


def rows(subject: Subject, period: Period, at: datetime) -> list[str]:
    """The names of the rows that together say what was spent."""
    shards = range(GLOBAL_SHARDS) if subject.scope.is_shared else (0,)
    return [_row(subject, period, at, shard) for shard in shards]


def refuse_too_dear(wanted: Sequence[Hold], worst_nanousd: int) -> None:
    """`CostCap` if a call can cost more than some budget has when nothing is spent."""
    for hold in wanted:
        if worst_nanousd > hold.cap_nanousd:
            raise CostCap(
                f"This call could cost up to {usd_text(worst_nanousd)} USD, which is more than {_words(hold)} allows "
                f"for one call. Send less, or have the budget raised.",
                details={"worst_case_usd": usd_text(worst_nanousd), "scope": hold.scope, "period": hold.period},
            )


def exhausted(hold: Hold, at: datetime) -> BudgetExhausted:
    """The refusal of a call for which too little is left; how much belongs to whoever set the budget."""
    end = hold.period.end(at)
    error = BudgetExhausted(
        f"{_words(hold)[0].upper()}{_words(hold)[1:]} has too little left for this call. It begins anew at "
        f"{end:%Y-%m-%d %H:%M} UTC. Send less, wait, or have the budget raised.",
        details={"scope": hold.scope, "period": hold.period},
        retry_after=ceil((end - at).total_seconds()),
    )
    error.shard_full = hold.scope.is_shared
    return error


def too_many(most: int) -> InvalidField:
    """The refusal of one budget more than an owner may set."""
    return InvalidField.named("scope", f"you have {most} budgets, which is all there may be; take one away first")


def _hold(subject: Subject, period: Period, cap: int, at: datetime, shard: int) -> Hold:
    if subject.scope.is_shared:
        return Hold(_row(subject, period, at, shard), cap // GLOBAL_SHARDS, subject.scope, period)
    return Hold(_row(subject, period, at, 0), cap, subject.scope, period)


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
