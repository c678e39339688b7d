"""Thirty days are UTC days including today, both in a resource's statistics and in a user's usage."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from instant.adapters.resources.stats import DynamoStatsStore
from instant.adapters.usage.report import DynamoUsageStore
from instant.domain.access.identity import Identity
from instant.domain.clock import format_time
from instant.domain.executions.execution import Closing, State
from instant.domain.executions.receipt import Receipt
from instant.domain.usage.report import UsageRow
from instant.use_cases.usage.report import report_usage
from tests.fakes.aws_stores import empty_stores
from tests.fakes.builders import an_opening
from tests.integration.app import App
from tests.integration.ledgers import a_ledger

CLOCKS = st.one_of(st.sampled_from([time(), time.max]), st.times())
NOWS = st.one_of(
    st.sampled_from(
        [
            datetime(2028, 2, 29, 23, 59, 59, 999_999, tzinfo=UTC),
            datetime(2028, 3, 1, tzinfo=UTC),
            datetime(2028, 3, 30, tzinfo=UTC),
            datetime(2027, 3, 1, 12, tzinfo=UTC),
            datetime(2026, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
            datetime(2027, 1, 30, 0, 0, 0, 1, tzinfo=UTC),
        ]
    ),
    st.builds(datetime.combine, st.dates(date(2026, 1, 1), date(2032, 1, 1)), CLOCKS, st.just(UTC)),
)
DAYS_AGO = st.one_of(st.sampled_from([-1, 0, 1, 28, 29, 30, 31, 35, 36]), st.integers(0, 70))
"""Also beyond the 35-day TTL of a bucket: expired buckets are not deleted here, as with a late TTL deletion."""


@dataclass(frozen=True)
class Event:
    """A call: its age in days, time of day, duration and result."""

    days_ago: int
    at: time
    duration: timedelta
    succeeded: bool
    cost_nanousd: int

    def called_at(self, now: datetime) -> datetime:
        """Return the time of the call."""
        return datetime.combine(now.date() - timedelta(days=self.days_ago), self.at, UTC)


def events(days_ago: st.SearchStrategy[int]) -> st.SearchStrategy[Event]:
    """Return a strategy for calls of this age."""
    duration = st.timedeltas(timedelta(0), timedelta(hours=25))
    return st.builds(Event, days_ago, CLOCKS, duration, st.booleans(), st.integers(1, 10**9))


HISTORIES = st.tuples(events(st.just(29)), events(st.just(30)), st.lists(events(DAYS_AGO), max_size=4))
"""Each includes the first day that counts and the last day that does not."""


type History = tuple[Event, Event, list[Event]]


class ByHoursStats(DynamoStatsStore):
    """A faulty store that counts 30 x 24 hours, and so part of a thirty-first day."""

    def _rows(self, resource_id: str, first: str, last: str) -> list[dict[str, Any]]:
        day = date.fromisoformat(first.split("#")[1]) - timedelta(days=1)
        return super()._rows(resource_id, f"day#{day}#", last)


class ByHoursUsage(DynamoUsageStore):
    """A faulty store with the same error."""

    def of_user(self, user_id: str, first: date, last: date) -> Iterator[UsageRow]:
        """Read one day more."""
        return super().of_user(user_id, first - timedelta(days=1), last)


@dataclass(frozen=True)
class FixedClock:
    """A fixed clock."""

    at: datetime

    def now(self) -> datetime:
        """Return the fixed time."""
        return self.at

    def monotonic(self) -> float:
        """Return a constant."""
        return 0

    def sleep(self, seconds: float) -> None:
        """Do not wait."""


type Count = tuple[int, int, int]
"""Successes, failures, cost."""


@dataclass(frozen=True)
class LedgerBundle:
    """A ledger and its readers."""

    app: App
    fresh: Callable[[str], str]

    def write(self, events: list[Event], now: datetime) -> str:
        """Record the calls of a new resource by one new user; return the resource's id."""
        name = self.fresh("res")
        for event in sorted(events, key=lambda event: event.called_at(now) + event.duration):
            self._record(name, event, event.called_at(now))
        return name

    def _record(self, name: str, event: Event, made: datetime) -> None:
        opening = an_opening(
            self.fresh("exe"), run_id="run_1", service="openrouter", resource_id=name, user_id=name,
            created_at=format_time(made), lease_expires_at=format_time(made + timedelta(minutes=2)),
        )  # fmt: skip
        closing = Closing(
            state=State.DONE if event.succeeded else State.FAILED,
            receipt=Receipt(cost_nanousd=event.cost_nanousd),
            finished_at=format_time(made + event.duration),
            error_code=None if event.succeeded else "upstream_error",
        )
        ledger = a_ledger(self.app)
        ledger.open(opening)
        assert ledger.close(opening, closing)

    def by_stats(self, name: str, now: datetime, kind: type[DynamoStatsStore] = DynamoStatsStore) -> Count:
        """Return the totals of the resource's statistics."""
        stats = kind(self.app.name("RESOURCE_STATS_TABLE")).of(name, now)
        return stats.success_count_30d, stats.failure_count_30d, stats.cost_nanousd_30d

    def by_usage(self, name: str, now: datetime, kind: type[DynamoUsageStore] = DynamoUsageStore) -> Count:
        """Return the totals of the usage report with its default dates."""
        store, caller = kind(self.app.name("USAGE_TABLE")), Identity(name, frozenset())
        total = report_usage(caller, None, None, None, store, FixedClock(now)).total
        return total.successes, total.failures, total.cost_nanousd


def manual_count(events: list[Event]) -> Count:
    """Return the totals of thirty days, independent of when the ends were recorded."""
    counted = [event for event in events if 0 <= event.days_ago <= 29]
    succeeded = sum(event.succeeded for event in counted)
    return succeeded, len(counted) - succeeded, sum(event.cost_nanousd for event in counted)


@pytest.fixture
def bundle(cloud: App, fresh: Callable[[str], str]) -> LedgerBundle:
    return LedgerBundle(cloud, fresh)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(NOWS, HISTORIES)
def test_both_stores_equal_a_manual_count(bundle: LedgerBundle, now: datetime, history: History) -> None:
    empty_stores()  # the simulation copies all rows for each transaction
    first, last, others = history
    expected, name = manual_count([first, last, *others]), bundle.write([first, last, *others], now)
    assert bundle.by_stats(name, now) == expected
    assert bundle.by_usage(name, now) == expected
    assert bundle.by_stats(name, now, ByHoursStats) != expected, "the test must detect the error"
    assert bundle.by_usage(name, now, ByHoursUsage) != expected, "the test must detect the error"


def test_call_is_counted_on_the_day_it_was_made(bundle: LedgerBundle) -> None:
    """The call is made in the last microsecond of a leap day and closed 25 hours later."""
    event = Event(0, time.max, timedelta(hours=25), succeeded=True, cost_nanousd=7)
    name = bundle.write([event], datetime(2028, 2, 29, tzinfo=UTC))
    for now, count in (("2028-02-29", (1, 0, 7)), ("2028-03-29", (1, 0, 7)), ("2028-03-30", (0, 0, 0))):
        when = datetime.fromisoformat(f"{now}T23:59:59.999999Z")
        assert bundle.by_stats(name, when) == bundle.by_usage(name, when) == count
