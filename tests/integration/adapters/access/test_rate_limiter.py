"""Rate limits and leases with a test clock: exact at the boundaries, closed when a result is unknown."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from instant.adapters.access.rate_limiter import DAY, DynamoRateLimiter
from instant.domain.errors import LimitsUnavailable, RateLimited
from instant.domain.limits import RETRY_IN_FLIGHT, Rate
from tests.fakes.aws_faults import failure, faults, lost_answer, lost_request
from tests.fakes.clock import FakeClock
from tests.integration.adapters.access.limits import MANY, SECONDS, THREE, rejected, row, unavailable
from tests.integration.app import App
from tests.integration.aws_calls import operations, recorded

ROUTE = "GET /api/resources"


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
