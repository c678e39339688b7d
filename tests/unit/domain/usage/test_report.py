"""The rows and total of a usage report equal an independent count, for any order and grouping of the usage."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instant.domain.errors import InvalidField
from instant.domain.limits import MAX_USAGE_DAYS, MAX_USAGE_ROWS
from instant.domain.usage.report import COUNTED, Grouping, Span, UsageReport, UsageRow, report, span

TODAY = date(2026, 11, 27)
SPAN = Span(date(2026, 11, 1), TODAY)


@dataclass(frozen=True)
class Run:
    """One execution: its day, its keys, and what it adds to each counter."""

    day: str
    resource_id: str
    model: str
    api_key_id: str | None
    counts: tuple[int, ...]


RUNS = st.lists(
    st.builds(
        Run,
        day=st.sampled_from(["2026-11-09", "2026-11-10", "2026-11-27"]),
        resource_id=st.sampled_from(["res_1", "res_2"]),
        model=st.sampled_from(["meadow/lark", "meadow/lark-mini"]),
        api_key_id=st.sampled_from([None, "key_1", "key_2"]),
        counts=st.tuples(*[st.integers(0, 10**12)] * len(COUNTED)),
    ),
    max_size=30,
)
GROUPINGS = st.sampled_from([None, *Grouping])


def partial_rows(runs: Sequence[Run], random: Random) -> list[UsageRow]:
    """Return rows as a store may return them: partly summed by day and keys, in random order."""
    parts: dict[tuple[object, ...], list[int]] = {}
    for run in runs:
        kind = (run.day, run.resource_id, run.model, run.api_key_id, random.randrange(3))
        sums = parts.setdefault(kind, [0] * len(COUNTED))
        sums[:] = [total + one for total, one in zip(sums, run.counts, strict=True)]
    rows = [
        UsageRow(day=day, resource_id=resource, model=model, api_key_id=key, **dict(zip(COUNTED, sums, strict=True)))  # type: ignore[arg-type]
        for (day, resource, model, key, _), sums in parts.items()
    ]
    random.shuffle(rows)
    return rows


def counts_of(row: UsageRow) -> list[int]:
    return [getattr(row, name) for name in COUNTED]


def manual_total(runs: Sequence[Run]) -> list[int]:
    return [sum(run.counts[place] for run in runs) for place in range(len(COUNTED))]


@given(RUNS, GROUPINGS, st.randoms(use_true_random=False))
def test_report_rows_and_total_match_an_independent_count(runs: list[Run], by: Grouping | None, random: Random) -> None:
    made = report(partial_rows(runs, random), SPAN, by)
    assert (made.span, made.by) == (SPAN, by)
    assert counts_of(made.total) == manual_total(runs)
    for row in made.rows:
        same = [
            run for run in runs if run.day == row.day and (not by or getattr(run, by.fact) == getattr(row, by.fact))
        ]
        assert same
        assert counts_of(row) == manual_total(same)
    kinds = {(run.day, getattr(run, by.fact) if by else None) for run in runs}
    assert {(row.day, getattr(row, by.fact) if by else None) for row in made.rows} == kinds
    assert len(made.rows) == len(kinds), "each row occurs once"
    assert [row.day for row in made.rows] == sorted(row.day or "" for row in made.rows), "rows are sorted, oldest first"


@given(RUNS, GROUPINGS)
def test_report_row_lists_only_the_requested_columns(runs: list[Run], by: Grouping | None) -> None:
    made = report(partial_rows(runs, Random(1)), SPAN, by)
    for row in (*made.rows, made.total):
        unrequested = {"resource_id", "model", "api_key_id"} - ({by.fact} if by else set())
        assert {name: value for name, value in asdict(row).items() if name in unrequested and value is not None} == {}
    assert made.total.day is None


def test_report_without_usage_returns_no_rows_and_zero_total() -> None:
    assert report([], SPAN, Grouping.MODEL) == UsageReport(span=SPAN, by=Grouping.MODEL, rows=[], total=UsageRow())


def test_report_sums_every_counter() -> None:
    keys = {"day", "resource_id", "model", "api_key_id"}
    assert set(COUNTED) == set(asdict(UsageRow())) - keys


@pytest.mark.parametrize(
    ("successes", "calls", "rate"), [(0, 0, None), (0, 3, "0.0000"), (2, 3, "0.6667"), (3, 3, "1.0000")]
)
def test_report_returns_the_success_rate(successes: int, calls: int, rate: str | None) -> None:
    result = UsageRow(successes=successes, calls=calls).success_rate
    assert (None if result is None else str(result)) == rate


@pytest.mark.parametrize(("latency", "timed", "average"), [(0, 0, None), (5, 2, 3), (7, 3, 2), (8, 3, 3), (0, 1, 0)])
def test_report_average_latency_ignores_unknown_latencies(latency: int, timed: int, average: int | None) -> None:
    assert UsageRow(latency_ms=latency, timed=timed).latency_ms_average == average


@pytest.mark.parametrize(
    ("billed", "computed", "drift", "percent"),
    [
        (0, 0, 0, None),
        (5, 0, 5, None),
        (110, 100, 10, "10.00"),
        (90, 100, -10, "-10.00"),
        (1, 3, -2, "-66.67"),
        (10**6 - 1, 10**6, -1, "0.00"),
        (10**37, 1, 10**37 - 1, f"{(10**37 - 1) * 100}.00"),
    ],
)
def test_report_returns_the_drift_between_billed_and_computed_cost(
    billed: int, computed: int, drift: int, percent: str | None
) -> None:
    row = UsageRow(billed_nanousd=billed, computed_nanousd=computed)
    result = row.drift_percent
    assert (row.drift_nanousd, None if result is None else str(result)) == (drift, percent)
    assert result is None or isinstance(result, Decimal)


@pytest.mark.parametrize(
    ("today", "first"), [("2028-03-01", "2028-02-01"), ("2026-03-01", "2026-01-31"), ("2027-01-01", "2026-12-03")]
)
def test_report_period_defaults_to_thirty_days_including_today(today: str, first: str) -> None:
    day = date.fromisoformat(today)
    assert span(None, None, day) == Span(date.fromisoformat(first), day)
    assert span(None, day, TODAY) == Span(date.fromisoformat(first), day)
    assert span(day, None, day) == Span(day, day)


def test_report_rejects_a_period_longer_than_366_days() -> None:
    first = TODAY - timedelta(days=MAX_USAGE_DAYS - 1)
    assert span(first, None, TODAY) == Span(first, TODAY)
    assert span(date(2028, 1, 1), date(2028, 12, 31), TODAY) == Span(date(2028, 1, 1), date(2028, 12, 31))
    for since, until in ((date(2028, 1, 1), date(2029, 1, 1)), (date(1, 1, 1), date(9999, 12, 31))):
        with pytest.raises(InvalidField, match="at most 366 days") as caught:
            span(since, until, TODAY)
        assert caught.value.details["field"] == "since"


def test_report_rejects_a_period_that_ends_before_it_begins() -> None:
    for since, until in ((TODAY, TODAY - timedelta(days=1)), (TODAY + timedelta(days=1), None)):
        with pytest.raises(InvalidField, match="must not be after until, which is 2026-11-2"):
            span(since, until, TODAY)


def test_report_period_does_not_start_before_the_first_date() -> None:
    assert span(None, date(1, 1, 5), TODAY) == Span(date(1, 1, 1), date(1, 1, 5))


def test_report_rejects_more_rows_than_a_response_can_have() -> None:
    days = [date(2026, 1, 1) + timedelta(days=number) for number in range(MAX_USAGE_ROWS + 1)]
    assert len(report((UsageRow(day=str(day), calls=1) for day in days[1:]), SPAN, None).rows) == MAX_USAGE_ROWS
    with pytest.raises(InvalidField, match="exceeds 5000 rows"):
        report((UsageRow(day=str(day), calls=1) for day in days), SPAN, None)
