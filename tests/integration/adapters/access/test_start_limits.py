"""Starts of executions: never more than the limit in a minute, one write each, and a row that does not grow."""

from collections.abc import Callable
from math import ceil

import pytest

from instant.adapters.access.rate_limiter import DynamoRateLimiter
from instant.adapters.aws import client as aws
from instant.domain.errors import RateLimited
from instant.domain.limits import Rate
from tests.fakes.clock import FakeClock
from tests.integration.adapters.access.limits import MANY, SECONDS, THREE, rejected, row
from tests.integration.app import App
from tests.integration.aws_calls import operations, recorded


@pytest.mark.parametrize(
    ("into_slot", "passed", "is_free"),
    [(0, 64.999999, False), (0, 65, True), (4, 60.999999, False), (4, 61, True), (4.999999, 60.000001, True)],
)
def test_starts_count_for_the_window_and_the_rest_of_their_slot(
    limiter: DynamoRateLimiter, clock: FakeClock, user: str, into_slot: float, passed: float, is_free: bool
) -> None:
    clock.pass_seconds(into_slot)
    for _ in range(3):
        limiter.release(user, limiter.acquire(user, THREE, 5, SECONDS))
    with rejected("rate", ceil(65 - into_slot)):
        limiter.acquire(user, THREE, 5, SECONDS)
    clock.pass_seconds(passed)
    if not is_free:
        with rejected("rate", 1):
            limiter.acquire(user, THREE, 5, SECONDS)
        return
    for _ in range(3):
        limiter.release(user, limiter.acquire(user, THREE, 5, SECONDS))
    with pytest.raises(RateLimited):
        limiter.acquire(user, THREE, 5, SECONDS)


def test_acquire_through_a_warm_limiter_makes_one_write_in_each_slot(
    limiter: DynamoRateLimiter, clock: FakeClock, user: str
) -> None:
    with recorded("dynamodb", short_timeout=True) as calls:
        for _ in range(20):
            limiter.acquire(user, MANY, 100, SECONDS)
            clock.pass_seconds(3)
    assert operations(calls) == ["UpdateItem"] * 20


def test_starts_after_the_first_of_a_slot_only_add(limiter: DynamoRateLimiter, clock: FakeClock, user: str) -> None:
    with recorded("dynamodb", short_timeout=True) as calls:
        for _ in range(4):
            limiter.acquire(user, MANY, 100, SECONDS)
            clock.pass_seconds(2)
    adds = ["started :one" in call.parameters["UpdateExpression"] for call in calls]
    assert adds == [False, True, True, False], "two slots"


def test_acquire_through_another_limiter_makes_at_most_two_writes(cloud: App, clock: FakeClock, user: str) -> None:
    limiters = [DynamoRateLimiter(cloud.name("LIMITS_TABLE"), clock) for _ in range(2)]
    for number in range(20):
        with recorded("dynamodb", short_timeout=True) as calls:
            limiters[number % 2].acquire(user, MANY, 100, SECONDS)
        assert len(calls) <= 2
        clock.pass_seconds(3)
    assert row(cloud, f"runs#{user}")["started"]["N"] == "20"


def test_limiter_remembers_the_users_that_started_last(
    cloud: App, clock: FakeClock, fresh: Callable[[str], str]
) -> None:
    limiter = DynamoRateLimiter(cloud.name("LIMITS_TABLE"), clock, max_known=2)
    first, second, third = (fresh("user") for _ in range(3))
    for user in (first, second, first, third):
        limiter.acquire(user, MANY, 100, SECONDS)
    writes = []
    for user in (third, first, second):
        with recorded("dynamodb", short_timeout=True) as calls:
            limiter.acquire(user, MANY, 100, SECONDS)
        writes.append(len(calls))
    assert writes == [1, 1, 2]


def test_starts_of_a_busy_user_fit_in_a_kilobyte(
    limiter: DynamoRateLimiter, clock: FakeClock, cloud: App, user: str
) -> None:
    rate = Rate(10_000, 60)
    for _ in range(150):
        limiter.release(user, limiter.acquire(user, rate, 10, SECONDS))
        clock.pass_seconds(1)
    held = row(cloud, f"runs#{user}")
    size = sum(len(name) + len(next(iter(value.values()))) for name, value in held.items())
    assert size < 500
    marks = held["start_marks"]["S"].split()
    assert (held["started"]["N"], len(marks)) == ("150", 13)
    assert len(" ".join(f"{mark.partition(':')[0]}:1000000" for mark in marks)) < 300


def test_changed_limit_applies_to_the_starts_that_count(
    limiter: DynamoRateLimiter, clock: FakeClock, user: str
) -> None:
    def start(limit: int) -> None:
        limiter.acquire(user, Rate(limit, 60), 100, SECONDS)

    for _ in range(3):
        start(3)
    start(5)
    with rejected("rate", 65):
        start(2)
    start(5)
    with rejected("rate", 65):
        start(5)
    clock.pass_seconds(65)
    start(2)
    start(2)
    with rejected("rate", 65):
        start(2)


def test_limiter_with_a_late_clock_counts_in_the_newest_slot(cloud: App, user: str) -> None:
    clocks = FakeClock(), FakeClock()
    clocks[0].pass_seconds(7)
    early, late = (DynamoRateLimiter(cloud.name("LIMITS_TABLE"), clock) for clock in clocks)
    early.acquire(user, THREE, 100, SECONDS)
    late.acquire(user, THREE, 100, SECONDS)
    early.acquire(user, THREE, 100, SECONDS)
    for limiter in (early, late):
        with pytest.raises(RateLimited):
            limiter.acquire(user, THREE, 100, SECONDS)


def test_starts_of_the_first_version_do_not_count(limiter: DynamoRateLimiter, cloud: App, user: str) -> None:
    aws.client("dynamodb").put_item(
        TableName=cloud.name("LIMITS_TABLE"),
        Item={"name": {"S": f"runs#{user}"}, "starts": {"SS": ["1.000000-00", "2.000000-00", "3.000000-00"]}},
    )
    for _ in range(3):
        limiter.acquire(user, THREE, 100, SECONDS)
    assert "starts" not in row(cloud, f"runs#{user}")
    with rejected("rate", 65):
        limiter.acquire(user, THREE, 100, SECONDS)
