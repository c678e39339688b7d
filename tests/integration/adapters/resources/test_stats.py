"""Statistics: the totals equal a manual count, independent of when the executions closed."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from instant.adapters.aws import client as aws
from instant.adapters.resources.stats import DynamoStatsStore
from instant.domain.clock import format_time
from instant.domain.executions.execution import State
from instant.domain.resources.stats import Stats
from tests.fakes.builders import a_closing, a_receipt, an_opening
from tests.integration.app import App
from tests.integration.ledgers import a_ledger

NOWS = [
    datetime(2028, 3, 1, 0, 0, tzinfo=UTC),  # the day after a leap day
    datetime(2026, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(2026, 3, 1, 12, tzinfo=UTC),
    datetime(2027, 1, 30, 0, 0, 0, 1, tzinfo=UTC),
]
EDGES = [timedelta(0), timedelta(days=29), timedelta(days=30), timedelta(days=29, hours=23), timedelta(days=-1)]
AGES = st.one_of(st.sampled_from(EDGES), st.timedeltas(min_value=timedelta(days=-2), max_value=timedelta(days=40)))
EVENTS = st.lists(st.tuples(AGES, st.booleans(), st.none() | st.integers(0, 10**9)), max_size=6)


@pytest.fixture
def store(cloud: App) -> DynamoStatsStore:
    return DynamoStatsStore(cloud.name("RESOURCE_STATS_TABLE"))


@given(st.sampled_from(NOWS), EVENTS)
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_stats_window_equals_a_manual_count(
    cloud: App,
    store: DynamoStatsStore,
    fresh: Callable[[str], str],
    now: datetime,
    events: list[tuple[timedelta, bool, int | None]],
) -> None:
    resource_id = fresh("res")
    ledger = a_ledger(cloud)
    for age, succeeded, cost in sorted(events, key=lambda event: -event[0]):  # closed in order of time
        at = format_time(now - age)
        opening = an_opening(fresh("exe"), resource_id=resource_id, created_at=at)
        ledger.open(opening)
        state = State.DONE if succeeded else State.FAILED
        ledger.close(opening, a_closing(state, receipt=a_receipt(cost_nanousd=cost), finished_at=at))
    first = now.date() - timedelta(days=29)
    inside = [event for event in events if first <= (now - event[0]).date() <= now.date()]
    assert store.of(resource_id, now) == Stats(
        call_count=len(events),
        success_count_30d=sum(succeeded for _, succeeded, _ in inside),
        failure_count_30d=sum(not succeeded for _, succeeded, _ in inside),
        cost_nanousd_30d=sum(cost or 0 for _, _, cost in inside),
        last_called_at=max((format_time(now - age) for age, _, _ in events), default=None),
    )


def test_stats_of_an_uncalled_resource_are_zero(store: DynamoStatsStore, fresh: Callable[[str], str]) -> None:
    assert store.of(fresh("res"), NOWS[0]) == Stats()


def test_stats_sum_all_shards_and_ignore_expired_buckets(
    cloud: App, store: DynamoStatsStore, fresh: Callable[[str], str]
) -> None:
    resource_id = fresh("res")
    buckets = [f"day#{day}#{shard}" for day in ("2028-01-31", "2028-02-01", "2028-02-29", "2028-03-01", "2028-03-02")
               for shard in range(8)]  # fmt: skip
    for bucket in [*buckets, *(f"total#{shard}" for shard in range(8))]:
        numbers = {name: {"N": "1"} for name in ("calls", "successes", "failures", "cost_nanousd")}
        key = {"resource_id": {"S": resource_id}, "bucket": {"S": bucket}}
        item = {**key, **numbers, "last_called_at": {"S": bucket}, "expires_at": {"N": "1"}}
        aws.client("dynamodb").put_item(TableName=cloud.name("RESOURCE_STATS_TABLE"), Item=item)
    assert store.of(resource_id, NOWS[0]) == Stats(
        call_count=8,
        success_count_30d=24,
        failure_count_30d=24,
        cost_nanousd_30d=24,
        last_called_at="total#7",
    )
