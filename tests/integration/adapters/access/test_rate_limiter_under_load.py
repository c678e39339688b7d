"""Fifty concurrent threads: exactly the limit is accepted, and executions in flight stay within their limit."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from instant.adapters.access.rate_limiter import DynamoRateLimiter
from instant.adapters.aws import client as aws
from instant.domain.access.start_window import SLOT_SECONDS
from instant.domain.errors import RateLimited
from instant.domain.limits import Rate, too_many_in_flight
from instant.ports.access.rate_limiter import RateLimiter
from tests.fakes.clock import FakeClock
from tests.integration.app import App
from tests.timeouts import HANG_SECONDS

pytestmark = pytest.mark.usefixtures("fast_thread_switching")

THREADS, CALLS = 50, 20
LIMIT = 300
MAX = 5


class ReadThenWriteRateLimiter(DynamoRateLimiter):
    """A faulty limiter that reads, decides and writes without a condition."""

    def __init__(self, table: str) -> None:
        """Use this table."""
        super().__init__(table, FakeClock())
        self._rows = table

    def hit(self, user_id: str, what: str, rate: Rate) -> None:
        """Count with a gap between the read and the write."""
        if (taken := self._read(user_id)) >= rate.limit:
            raise rate.exceeded(1)
        self._write(user_id, taken + 1)

    def acquire(self, user_id: str, rate: Rate, most: int, seconds: float) -> str:
        """Acquire with a gap between the read and the write."""
        if (taken := self._read(user_id)) >= most:
            raise too_many_in_flight(most)
        self._write(user_id, taken + 1)
        return "a lease"

    def release(self, user_id: str, lease: str) -> None:
        """Release with a gap between the read and the write."""
        self._write(user_id, self._read(user_id) - 1)

    def _read(self, user_id: str) -> int:
        key = {"name": {"S": user_id}}
        row = aws.client("dynamodb").get_item(TableName=self._rows, Key=key).get("Item", {})
        return int(row.get("taken", {"N": "0"})["N"])

    def _write(self, user_id: str, taken: int) -> None:
        item = {"name": {"S": user_id}, "taken": {"N": str(taken)}}
        aws.client("dynamodb").put_item(TableName=self._rows, Item=item)


@pytest.fixture
def limiter(cloud: App) -> DynamoRateLimiter:
    return DynamoRateLimiter(cloud.name("LIMITS_TABLE"), FakeClock())


@pytest.fixture
def faulty(cloud: App) -> ReadThenWriteRateLimiter:
    return ReadThenWriteRateLimiter(cloud.name("LIMITS_TABLE"))


def _is_accepted(call: Callable[[], object]) -> bool:
    try:
        call()
    except RateLimited:
        return False
    return True


def accepted(call: Callable[[], object], calls: int = CALLS) -> int:
    """Count the accepted calls of all threads."""
    with ThreadPoolExecutor(THREADS) as pool:
        return sum(pool.map(lambda _: sum(_is_accepted(call) for _ in range(calls)), range(THREADS)))


class ConcurrentExecutions:
    """Executions that end once every thread has requested one; `max_in_flight` is the highest number at a time."""

    def __init__(self, limiter: RateLimiter, user: str) -> None:
        self._limiter, self._user = limiter, user
        self._lock, self._all_requested = threading.Lock(), threading.Barrier(THREADS, timeout=HANG_SECONDS)
        self._in_flight = self.max_in_flight = 0

    def run(self) -> None:
        """Run one execution if it is accepted; its end overlaps with the next requests."""
        try:
            lease = self._limiter.acquire(self._user, Rate(10_000, 60), MAX, 100)
        except RateLimited:
            self._all_requested.wait()
            raise
        self._count(1)
        self._all_requested.wait()
        self._count(-1)
        self._limiter.release(self._user, lease)

    def _count(self, change: int) -> None:
        with self._lock:
            self._in_flight += change
            self.max_in_flight = max(self.max_in_flight, self._in_flight)


def test_concurrent_hits_allow_exactly_the_limit(limiter: DynamoRateLimiter, fresh: Callable[[str], str]) -> None:
    user, rate = fresh("user"), Rate(LIMIT, 60)
    assert accepted(lambda: limiter.hit(user, "GET /x", rate)) == LIMIT


def test_concurrent_starts_allow_exactly_the_limit(limiter: DynamoRateLimiter, fresh: Callable[[str], str]) -> None:
    user, rate = fresh("user"), Rate(60, 60)
    assert accepted(lambda: limiter.acquire(user, rate, 1_000, 100), 5) == 60


def test_concurrent_starts_at_a_window_end_allow_exactly_the_limit(cloud: App, fresh: Callable[[str], str]) -> None:
    clock, user, rate = FakeClock(), fresh("user"), Rate(30, 60)
    limiter = DynamoRateLimiter(cloud.name("LIMITS_TABLE"), clock)
    for _ in range(2):
        assert accepted(lambda: limiter.acquire(user, rate, 1_000, 30), 2) == 30
        clock.pass_seconds(60 + SLOT_SECONDS)


def test_concurrent_starts_through_many_limiters_allow_exactly_the_limit(
    cloud: App, fresh: Callable[[str], str]
) -> None:
    clock, user, rate = FakeClock(), fresh("user"), Rate(40, 60)
    for allowed in (25, 15, 0):
        limiters = [DynamoRateLimiter(cloud.name("LIMITS_TABLE"), clock) for _ in range(THREADS)]
        with ThreadPoolExecutor(allowed or THREADS) as pool:
            starts = pool.map(
                lambda limiter: _is_accepted(lambda: limiter.acquire(user, rate, 1_000, 300)),
                limiters[: allowed or THREADS],
            )
            assert sum(starts) == allowed
        clock.pass_seconds(SLOT_SECONDS)


def test_concurrent_leases_never_exceed_the_limit(limiter: DynamoRateLimiter, fresh: Callable[[str], str]) -> None:
    executions = ConcurrentExecutions(limiter, fresh("user"))
    assert accepted(executions.run, 4) >= MAX
    assert executions.max_in_flight == MAX


def test_detects_a_non_atomic_counter(faulty: ReadThenWriteRateLimiter, fresh: Callable[[str], str]) -> None:
    user, rate = fresh("user"), Rate(LIMIT, 60)
    assert accepted(lambda: faulty.hit(user, "GET /x", rate), 8) > LIMIT


def test_detects_non_atomic_leases(faulty: ReadThenWriteRateLimiter, fresh: Callable[[str], str]) -> None:
    executions = ConcurrentExecutions(faulty, fresh("user"))
    accepted(executions.run, 4)
    assert executions.max_in_flight > MAX
