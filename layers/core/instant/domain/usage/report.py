"""Usage reports: a user's executions per day, by resource, model or API key."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date, timedelta
from decimal import Decimal, localcontext
from enum import StrEnum
from typing import Any

from instant.domain.errors import InvalidField
from instant.domain.limits import MAX_USAGE_DAYS, MAX_USAGE_ROWS
from instant.domain.resources.stats import WINDOW_DAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageRow:
    """Totals of the executions of one day, resource, model and API key, or of several of these.

    `unpriced` counts executions without a reported cost; `lost` those in state LOST; `timed` those whose duration is in
    `latency_ms`. `cost_nanousd` is the reported cost, `booked_nanousd` the cost in budgets: the worst case where the
    cost is unknown. `billed_nanousd` and `computed_nanousd` are the reported and the recomputed cost of the executions
    that have both.
    """

    day: str | None = None
    resource_id: str | None = None
    model: str | None = None
    api_key_id: str | None = None
    calls: int = 0
    successes: int = 0
    failures: int = 0
    lost: int = 0
    unpriced: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    latency_ms: int = 0
    timed: int = 0
    cost_nanousd: int = 0
    booked_nanousd: int = 0
    billed_nanousd: int = 0
    computed_nanousd: int = 0

    @property
    def success_rate(self) -> Decimal | None:
        """From 0 to 1, rounded to four decimal places; None without calls."""
        return _ratio(self.successes, self.calls, "0.0001")

    @property
    def latency_ms_average(self) -> int | None:
        """Rounded to the millisecond; None if no duration is known."""
        return (2 * self.latency_ms + self.timed) // (2 * self.timed) if self.timed else None

    @property
    def drift_nanousd(self) -> int:
        """The reported cost less the recomputed cost of the same usage."""
        return self.billed_nanousd - self.computed_nanousd

    @property
    def drift_percent(self) -> Decimal | None:
        """The drift in percent of the recomputed cost, to two decimal places; None if that cost is 0."""
        return _ratio(100 * self.drift_nanousd, self.computed_nanousd, "0.01")


COUNTED = tuple(field.name for field in fields(UsageRow) if field.default == 0)
"""The names of the summed fields."""


class Grouping(StrEnum):
    """The grouping of a day's executions."""

    RESOURCE = "resource"
    MODEL = "model"
    API_KEY = "api_key"

    @property
    def fact(self) -> str:
        """The field of the row that it groups by."""
        return "model" if self is Grouping.MODEL else f"{self}_id"


@dataclass(frozen=True, slots=True)
class Span:
    """UTC days from `first` to `last`, inclusive."""

    first: date
    last: date


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageReport:
    """One row per day and group with executions, oldest first, and a row of totals."""

    span: Span
    by: Grouping | None
    rows: list[UsageRow]
    total: UsageRow


def span(since: date | None, until: date | None, today: date) -> Span:
    """The requested days, by default thirty up to today; `InvalidField` for an empty or too long span."""
    last = until or today
    first = since or date.fromordinal(max(last.toordinal() - WINDOW_DAYS + 1, 1))
    if first > last:
        raise InvalidField.named("since", f"must not be after until, which is {last}")
    if last - first >= timedelta(days=MAX_USAGE_DAYS):
        raise InvalidField.named("since", f"one report covers at most {MAX_USAGE_DAYS} days; request fewer days")
    return Span(first, last)


def report(parts: Iterable[UsageRow], days: Span, by: Grouping | None) -> UsageReport:
    """The sums of `parts`, in any order; `InvalidField` for more rows than a response can contain."""
    sums: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    total: Counter[str] = Counter()
    for part in parts:
        counts = {name: getattr(part, name) for name in COUNTED}
        sums[part.day or "", (getattr(part, by.fact) or "") if by else ""].update(counts)
        total.update(counts)
        if len(sums) > MAX_USAGE_ROWS:
            raise InvalidField.named("since", f"the report exceeds {MAX_USAGE_ROWS} rows; request fewer days")
    rows = [_row(sums[day, name], day=day, **_group(by, name)) for day, name in sorted(sums)]
    return UsageReport(span=days, by=by, rows=rows, total=_row(total))


def _group(by: Grouping | None, name: str) -> dict[str, str | None]:
    return {by.fact: name or None} if by else {}


def _row(counts: Mapping[str, int], **facts: str | None) -> UsageRow:
    values: dict[str, Any] = {**facts, **counts}
    return UsageRow(**values)


def _ratio(part: int, whole: int, digits: str) -> Decimal | None:
    """The rounded ratio, never -0, for amounts of any size."""
    if not whole:
        return None
    with localcontext(prec=60):
        return (Decimal(part) / whole).quantize(Decimal(digits)) + 0
