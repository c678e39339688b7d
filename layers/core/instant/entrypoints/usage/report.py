"""Usage reports as JSON and as CSV."""

import csv
from collections.abc import Iterator, Mapping
from decimal import Decimal
from io import StringIO
from typing import Annotated, Any, NotRequired, TypedDict, cast

from pydantic import Field

from instant.domain.money import usd_text
from instant.domain.usage.report import Grouping, UsageReport, UsageRow
from instant.entrypoints.http.fields import Usd

CSV = "text/csv"

type UtcDay = Annotated[str, Field(description="A UTC day.", examples=["2026-11-22"])]

_NAMES = {grouping.fact for grouping in Grouping}
"""The columns with user-defined text."""

_FORMULA = tuple("=+-@\t\r\uff1d\uff0b\uff0d\uff20")
"""First characters that make a spreadsheet evaluate a cell as a formula; the last four are full-width forms."""


class UsageDrift(TypedDict):
    """What the provider reported, and what the catalog gives for the same usage, of calls that have both."""

    billed_usd: Usd
    computed_usd: Usd
    drift_usd: Annotated[Usd, Field(description="billed_usd less computed_usd.")]
    drift_percent: Annotated[str | None, Field(description="In percent of computed_usd; null where that is 0.")]


class UsageSums(TypedDict):
    """The totals of calls; calls with an outcome that is not known yet are excluded."""

    calls: int
    successes: int
    failures: int
    success_rate: Annotated[str | None, Field(description="From 0 to 1; null without calls.", examples=["0.9987"])]
    lost: Annotated[int, Field(description="Failures whose outcome can no longer be determined.")]
    prompt_tokens: int
    completion_tokens: int
    cost_usd: Annotated[Usd, Field(description="As the provider reported it.")]
    unpriced: Annotated[int, Field(description="Calls with unknown cost, which is not in cost_usd.")]
    booked_usd: Annotated[Usd, Field(description="As counted by budgets: the worst case if the cost is unknown.")]
    latency_ms_average: int | None
    drift: UsageDrift


class UsageOfDay(UsageSums):
    """The totals of the calls of one day, of all calls or of one group."""

    day: UtcDay
    resource_id: NotRequired[str]
    model: NotRequired[str]
    api_key_id: NotRequired[Annotated[str | None, Field(description="null: called with an access token.")]]


class ReportedUsage(TypedDict):
    """The caller's usage, oldest day first; a day without calls has no row."""

    data: list[UsageOfDay]
    total: UsageSums
    since: UtcDay
    until: UtcDay
    by: Grouping | None


def usage_view(report: UsageReport) -> ReportedUsage:
    """The report as JSON."""
    return {
        "data": [_day_view(row, report.by) for row in report.rows],
        "total": _sums_view(report.total),
        "since": str(report.span.first),
        "until": str(report.span.last),
        "by": report.by,
    }


def usage_csv(report: UsageReport) -> str:
    """The same rows as CSV with a header line; null is an empty cell."""
    text = StringIO()
    lines = csv.writer(text)
    lines.writerow(name for name, _ in _cells(_day_view(UsageRow(), report.by)))
    lines.writerows([cell for _, cell in _cells(_day_view(row, report.by))] for row in report.rows)
    return text.getvalue()


def file_name(report: UsageReport) -> str:
    """The file name of the CSV download."""
    return f"usage-{report.span.first}-{report.span.last}.csv"


def _day_view(row: UsageRow, by: Grouping | None) -> UsageOfDay:
    group = {by.fact: getattr(row, by.fact)} if by else {}
    return cast(UsageOfDay, {"day": row.day, **group, **_sums_view(row)})


def _sums_view(row: UsageRow) -> UsageSums:
    return {
        "calls": row.calls,
        "successes": row.successes,
        "failures": row.failures,
        "success_rate": _text(row.success_rate),
        "lost": row.lost,
        "prompt_tokens": row.prompt_tokens,
        "completion_tokens": row.completion_tokens,
        "cost_usd": usd_text(row.cost_nanousd),
        "unpriced": row.unpriced,
        "booked_usd": usd_text(row.booked_nanousd),
        "latency_ms_average": row.latency_ms_average,
        "drift": {
            "billed_usd": usd_text(row.billed_nanousd),
            "computed_usd": usd_text(row.computed_nanousd),
            "drift_usd": usd_text(row.drift_nanousd),
            "drift_percent": _text(row.drift_percent),
        },
    }


def _text(number: Decimal | None) -> str | None:
    return None if number is None else f"{number:f}"


def _cells(row: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Each column's name and cell; numbers stay numbers, and text cannot become a formula (CSV injection)."""
    for name, value in row.items():
        if isinstance(value, dict):
            yield from value.items()
        elif name in _NAMES and value and value.startswith(_FORMULA):
            yield name, f"'{value}"
        else:
            yield name, value
