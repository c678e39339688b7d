"""Rate limits and leases with a test clock: exact at the boundaries, closed when a result is unknown."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from math import ceil
from typing import Any

import pytest
from botocore.exceptions import ClientError

from instant.adapters.access.rate_limiter import DAY, DynamoRateLimiter
from instant.adapters.aws import client as aws
from instant.domain.errors import LimitsUnavailable, RateLimited
from instant.domain.limits import RETRY_IN_FLIGHT, Rate
from tests.fakes.aws_faults import failure, faults, lost_answer, lost_request
from tests.fakes.clock import FakeClock
from tests.integration.app import App
from tests.integration.aws_calls import operations, recorded

THREE = Rate(3, 60)
MANY = Rate(1_000, 60)
ROUTE = "GET /api/resources"
SECONDS = 155.0
"""The duration of the leases in these tests, unless they are released."""


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def limiter(cloud: App, clock: FakeClock) -> DynamoRateLimiter:
    return DynamoRateLimiter(cloud.name("LIMITS_TABLE"), clock)


@pytest.fixture
def user(fresh: Callable[[str], str]) -> str:
    return fresh("user")


@contextmanager
def rejected(limit: str, retry_after: int) -> Iterator[None]:
    """Assert that this limit rejects the call inside."""
    with pytest.raises(RateLimited) as caught:
        yield
    assert (caught.value.details["limit"], caught.value.retry_after) == (limit, retry_after)
    assert caught.value.details["most"]
    assert str(caught.value.details["most"]) in caught.value.message


@contextmanager
def unavailable() -> Iterator[None]:
    """Assert that the call inside raises because the limits are unavailable."""
    with pytest.raises(LimitsUnavailable) as caught:
        yield
    assert caught.value.retry_after == 1


def row(cloud: App, name: str) -> dict[str, Any]:
    """Return the only row whose name has this prefix."""
    (found,) = [item for item in cloud.table("LIMITS_TABLE") if item["name"]["S"].startswith(name)]
    return found


def test_hit_allows_the_limit_and_then_returns_retry_after(
    limiter: DynamoRateLimiter, clock: FakeClock, user: str
) -> None:
    clock.pass_seconds(17.5)
    for _ in range(3):
        limiter.hit(user, ROUTE, THREE)
    for _ in range(2):
        with rejected("rate", 43):
            limiter.hit(user, ROUTE, THREE)


@pytest.mark.parametrize(("passed", "is_new"), [(59, False), (59.999999, False), (60, True), (61, True)])
def test_hit_window_ends_on_time(
    limiter: DynamoRateLimiter, clock: FakeClock, user: str, passed: float, is_new: bool
) -> None:
    for _ in range(3):
        limiter.hit(user, ROUTE, THREE)
    clock.pass_seconds(passed)
    if is_new:
        limiter.hit(user, ROUTE, THREE)
        return
    with rejected("rate", 1):
        limiter.hit(user, ROUTE, THREE)


def test_fixed_window_boundary_allows_at_most_twice_the_limit(
    limiter: DynamoRateLimiter, clock: FakeClock, user: str
) -> None:
    clock.pass_seconds(59)
    for _ in range(2):
        for _ in range(3):
            limiter.hit(user, ROUTE, THREE)
        with pytest.raises(RateLimited):
            limiter.hit(user, ROUTE, THREE)
        clock.pass_seconds(1)


def test_hits_are_counted_per_user_and_route(
    limiter: DynamoRateLimiter, user: str, fresh: Callable[[str], str]
) -> None:
    one = Rate(1, 60)
    limiter.hit(user, ROUTE, one)
    limiter.hit(user, "POST /api/resources", one)
    limiter.hit(fresh("user"), ROUTE, one)
    with rejected("rate", 60):
        limiter.hit(user, ROUTE, one)


def test_hit_makes_one_write_and_its_row_expires(
    limiter: DynamoRateLimiter, clock: FakeClock, cloud: App, user: str
) -> None:
    with recorded("dynamodb", short_timeout=True) as calls:
        limiter.hit(user, ROUTE, THREE)
        limiter.hit(user, ROUTE, THREE)
    assert operations(calls) == ["UpdateItem", "UpdateItem"]
    counted = row(cloud, f"calls#{user}#")
    assert counted["taken"] == {"N": "2"}
    assert int(counted["expires_at"]["N"]) == clock.now().timestamp() + 60 + DAY


@pytest.mark.parametrize("passed_first", range(3))
def test_hit_with_a_lost_acknowledgement_never_undercounts(
    limiter: DynamoRateLimiter, cloud: App, user: str, passed_first: int
) -> None:
    for _ in range(passed_first):
        limiter.hit(user, ROUTE, THREE)
    with faults("UpdateItem", lost_answer):
        if passed_first < 2:
            limiter.hit(user, ROUTE, THREE)
        else:
            with rejected("rate", 60):
                limiter.hit(user, ROUTE, THREE)
    assert int(row(cloud, f"calls#{user}#")["taken"]["N"]) <= 3


def test_acquire_makes_one_write(limiter: DynamoRateLimiter, cloud: App, user: str) -> None:
    with recorded("dynamodb", short_timeout=True) as calls:
        lease = limiter.acquire(user, MANY, 5, SECONDS)
        limiter.release(user, lease)
        limiter.acquire(user, MANY, 5, SECONDS)
    assert operations(calls) == ["UpdateItem"] * 3
    held = row(cloud, f"runs#{user}")
    assert (held["started"]["N"], len(held["leases"]["SS"])) == ("2", 1)


@pytest.mark.parametrize("most", [1, 2, 5])
def test_acquire_limits_executions_in_flight(
    cloud: App, limiter: DynamoRateLimiter, clock: FakeClock, user: str, most: int
) -> None:
    leases = [limiter.acquire(user, MANY, most, SECONDS) for _ in range(most)]
    assert len(set(leases)) == most
    assert int(row(cloud, f"runs#{user}")["expires_at"]["N"]) == clock.now().timestamp() + DAY
    with rejected("in_flight", RETRY_IN_FLIGHT):
        limiter.acquire(user, MANY, most, SECONDS)
    limiter.release(user, leases[0])
    limiter.release(user, leases[0])
    limiter.acquire(user, MANY, most, SECONDS)
    with rejected("in_flight", RETRY_IN_FLIGHT):
        limiter.acquire(user, MANY, most, SECONDS)


def test_acquire_counts_each_user_separately(
    limiter: DynamoRateLimiter, user: str, fresh: Callable[[str], str]
) -> None:
    limiter.acquire(user, MANY, 1, SECONDS)
    limiter.acquire(fresh("user"), MANY, 1, SECONDS)


@pytest.mark.parametrize(("passed", "is_free"), [(154, False), (154.999999, False), (155, True), (156, True)])
def test_expired_lease_of_a_crashed_holder_is_released(
    limiter: DynamoRateLimiter, clock: FakeClock, user: str, passed: float, is_free: bool
) -> None:
    limiter.acquire(user, MANY, 2, SECONDS)
    limiter.acquire(user, MANY, 2, SECONDS)
    clock.pass_seconds(passed)
    if not is_free:
        with rejected("in_flight", RETRY_IN_FLIGHT):
            limiter.acquire(user, MANY, 2, SECONDS)
        return
    limiter.acquire(user, MANY, 2, SECONDS)
    limiter.acquire(user, MANY, 2, SECONDS)
    with rejected("in_flight", RETRY_IN_FLIGHT):
        limiter.acquire(user, MANY, 2, SECONDS)


def test_acquire_removes_only_expired_leases(
    limiter: DynamoRateLimiter, clock: FakeClock, cloud: App, user: str
) -> None:
    crashed = limiter.acquire(user, MANY, 2, SECONDS)
    clock.pass_seconds(100)
    running = limiter.acquire(user, MANY, 2, SECONDS)
    clock.pass_seconds(60)
    new = limiter.acquire(user, MANY, 2, SECONDS)
    assert set(row(cloud, f"runs#{user}")["leases"]["SS"]) == {running, new}
    limiter.release(user, crashed)
    assert set(row(cloud, f"runs#{user}")["leases"]["SS"]) == {running, new}


def leases(cloud: App, user: str) -> set[str]:
    """Return the user's leases in the row."""
    return set(row(cloud, f"runs#{user}").get("leases", {"SS": []})["SS"])


def test_renewed_lease_is_held_for_longer(limiter: DynamoRateLimiter, clock: FakeClock, cloud: App, user: str) -> None:
    lease = limiter.acquire(user, MANY, 1, 90)
    for _ in range(20):
        clock.pass_seconds(30)
        lease = limiter.renew(user, lease, 90)
        assert leases(cloud, user) == {lease}
        with rejected("in_flight", RETRY_IN_FLIGHT):
            limiter.acquire(user, MANY, 1, 90)
    limiter.release(user, lease)
    limiter.acquire(user, MANY, 1, 90)


@pytest.mark.parametrize(("passed", "is_free"), [(89, False), (89.999999, False), (90, True)])
def test_lease_of_a_killed_holder_is_free_90_seconds_after_its_last_renewal(
    limiter: DynamoRateLimiter, clock: FakeClock, user: str, passed: float, is_free: bool
) -> None:
    lease = limiter.acquire(user, MANY, 1, 90)
    clock.pass_seconds(30)
    limiter.renew(user, lease, 90)
    clock.pass_seconds(passed)
    if is_free:
        limiter.acquire(user, MANY, 1, 90)
        return
    with rejected("in_flight", RETRY_IN_FLIGHT):
        limiter.acquire(user, MANY, 1, 90)


def test_renew_adds_before_it_removes(limiter: DynamoRateLimiter, clock: FakeClock, user: str) -> None:
    lease = limiter.acquire(user, MANY, 1, 90)
    clock.pass_seconds(30)
    with recorded("dynamodb", short_timeout=True) as calls:
        limiter.renew(user, lease, 90)
    assert [call.parameters["UpdateExpression"].split()[0] for call in calls] == ["ADD", "DELETE"]


def test_renew_at_the_same_time_keeps_the_lease(limiter: DynamoRateLimiter, cloud: App, user: str) -> None:
    lease = limiter.acquire(user, MANY, 1, 90)
    assert limiter.renew(user, lease, 90) == lease
    assert leases(cloud, user) == {lease}


def test_renewal_whose_old_lease_was_not_removed_counts_once(
    limiter: DynamoRateLimiter, clock: FakeClock, cloud: App, user: str, caplog: pytest.LogCaptureFixture
) -> None:
    lease = limiter.acquire(user, MANY, 2, 90)
    clock.pass_seconds(30)
    with faults("UpdateItem", None, failure("AccessDeniedException")):
        renewed = limiter.renew(user, lease, 90)
    assert "a renewed lease was not removed" in caplog.text
    assert leases(cloud, user) == {lease, renewed}
    other = limiter.acquire(user, MANY, 2, 90)
    assert leases(cloud, user) == {renewed, other}


def test_renewed_lease_is_the_latest_by_time_and_not_by_text(cloud: App, user: str) -> None:
    clock = FakeClock(datetime.fromtimestamp(0, UTC))
    limiter = DynamoRateLimiter(cloud.name("LIMITS_TABLE"), clock)
    lease = limiter.acquire(user, MANY, 1, 95)
    clock.pass_seconds(10)
    with faults("UpdateItem", None, failure("AccessDeniedException")):
        renewed = limiter.renew(user, lease, 95)
    assert (lease < renewed, len(leases(cloud, user))) == (False, 2)
    other = limiter.acquire(user, MANY, 2, 95)
    assert leases(cloud, user) == {renewed, other}


def test_renewal_that_fails_keeps_the_old_lease(
    limiter: DynamoRateLimiter, clock: FakeClock, cloud: App, user: str
) -> None:
    lease = limiter.acquire(user, MANY, 1, 90)
    clock.pass_seconds(30)
    with faults("UpdateItem", failure("AccessDeniedException")), unavailable():
        limiter.renew(user, lease, 90)
    assert leases(cloud, user) == {lease}
    with faults("UpdateItem", lost_answer, lost_answer), unavailable():
        limiter.renew(user, lease, 90)
    assert lease in leases(cloud, user)


def test_execution_whose_lease_was_taken_is_counted_again_when_it_renews(
    limiter: DynamoRateLimiter, clock: FakeClock, cloud: App, user: str
) -> None:
    lease = limiter.acquire(user, MANY, 1, 90)
    clock.pass_seconds(90)
    other = limiter.acquire(user, MANY, 1, 90)
    renewed = limiter.renew(user, lease, 90)
    assert leases(cloud, user) == {renewed, other}


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


def test_rejected_acquire_changes_nothing(limiter: DynamoRateLimiter, cloud: App, user: str) -> None:
    limiter.acquire(user, MANY, 1, SECONDS)
    before = row(cloud, f"runs#{user}")
    with rejected("in_flight", RETRY_IN_FLIGHT):
        limiter.acquire(user, MANY, 1, SECONDS)
    assert row(cloud, f"runs#{user}") == before


def test_acquire_with_a_lost_acknowledgement_counts_once(limiter: DynamoRateLimiter, cloud: App, user: str) -> None:
    for number in range(3):
        with faults("UpdateItem", lost_answer):
            limiter.acquire(user, THREE, 3, SECONDS)
        held = row(cloud, f"runs#{user}")
        assert (held["started"]["N"], len(held["leases"]["SS"])) == (str(number + 1), number + 1)
    with rejected("in_flight", RETRY_IN_FLIGHT):
        limiter.acquire(user, THREE, 3, SECONDS)


def test_release_with_a_lost_acknowledgement_counts_once(limiter: DynamoRateLimiter, user: str) -> None:
    first, _ = (limiter.acquire(user, MANY, 2, SECONDS) for _ in range(2))
    with faults("UpdateItem", lost_answer):
        limiter.release(user, first)
    limiter.acquire(user, MANY, 2, SECONDS)
    with rejected("in_flight", RETRY_IN_FLIGHT):
        limiter.acquire(user, MANY, 2, SECONDS)


@pytest.mark.parametrize(
    "fault",
    [lost_request, failure("AccessDeniedException"), failure("ThrottlingException")],
    ids=["nothing", "no", "busy"],
)
def test_acquire_fails_closed_when_the_result_is_unknown(
    limiter: DynamoRateLimiter, cloud: App, user: str, fault: Any
) -> None:
    with faults("UpdateItem", *[fault] * 2) as calls, unavailable():
        limiter.acquire(user, MANY, 1, SECONDS)
    assert len(calls.bodies) <= 2
    with faults("UpdateItem", *[fault] * 2), unavailable():
        limiter.hit(user, ROUTE, MANY)
    with faults("UpdateItem", *[fault] * 2), unavailable():
        limiter.release(user, "never")
    assert not [item for item in cloud.table("LIMITS_TABLE") if user in item["name"]["S"]]


def test_limiter_failure_keeps_its_cause_for_the_log(limiter: DynamoRateLimiter, user: str) -> None:
    with faults("UpdateItem", failure("AccessDeniedException")), pytest.raises(LimitsUnavailable) as caught:
        limiter.hit(user, ROUTE, MANY)
    assert isinstance(caught.value.__cause__, ClientError)
