"""Fifty threads call at once: exactly as many pass as may, and never more are in flight than may be."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from instant.adapters.access.rate_limiter import DynamoRateLimiter
from instant.adapters.aws import client as aws
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


class CarelessRateLimiter(DynamoRateLimiter):
    """What not to do: reads what there is, decides, puts back."""

    def __init__(self, table: str) -> None:
        """Use this table."""
        super().__init__(table, FakeClock())
        self._rows = table

    def hit(self, user_id: str, what: str, rate: Rate) -> None:
        """Count, with a gap in the middle."""
        if (taken := self._read(user_id)) >= rate.limit:
            raise rate.exceeded(1)
        self._write(user_id, taken + 1)

    def acquire(self, user_id: str, rate: Rate, most: int, seconds: float) -> str:
        """Admit, with a gap in the middle."""
        if (taken := self._read(user_id)) >= most:
            raise too_many_in_flight(most)
        self._write(user_id, taken + 1)
        return "a lease"

    def release(self, user_id: str, lease: str) -> None:
        """Give back, with a gap in the middle."""
        self._write(user_id, self._read(user_id) - 1)

    def _read(self, user_id: str) -> int:
        key = {"name": {"S": user_id}}
        row = aws.client("dynamodb").get_item(TableName=self._rows, Key=key).get("Item", {})
        return int(row.get("taken", {"N": "0"})["N"])

    def _write(self, user_id: str, taken: int) -> None:
        item = {"name": {"S": user_id}, "taken": {"N": str(taken)}}
        aws.client("dynamodb").put_item(TableName=self._rows, Item=item)


@pytest.fixture
def careful(cloud: App) -> DynamoRateLimiter:
    return DynamoRateLimiter(cloud.name("LIMITS_TABLE"), FakeClock())


@pytest.fixture
def careless(cloud: App) -> CarelessRateLimiter:
    return CarelessRateLimiter(cloud.name("LIMITS_TABLE"))


def _let_in(call: Callable[[], object]) -> bool:
    try:
        call()
    except RateLimited:
        return False
    return True


def passed(call: Callable[[], object], calls: int = CALLS) -> int:
    """How many of the calls of all threads are let in."""
    with ThreadPoolExecutor(THREADS) as pool:
        return sum(pool.map(lambda _: sum(_let_in(call) for _ in range(calls)), range(THREADS)))


class Flights:
    """Executions that end when every thread has asked for one; `most_seen` is how many there ever were at once."""

    def __init__(self, limiter: RateLimiter, user: str) -> None:
        self._limiter, self._user = limiter, user
        self._lock, self._everybody_asked = threading.Lock(), threading.Barrier(THREADS, timeout=HANG_SECONDS)
        self._now = self.most_seen = 0

    def fly(self) -> None:
        """One of them, if it is let in; those that end cross with the next ones that ask."""
        try:
            lease = self._limiter.acquire(self._user, Rate(10_000, 60), MAX, 100)
        except RateLimited:
            self._everybody_asked.wait()
            raise
        self._count(1)
        self._everybody_asked.wait()
        self._count(-1)
        self._limiter.release(self._user, lease)

    def _count(self, change: int) -> None:
        with self._lock:
            self._now += change
            self.most_seen = max(self.most_seen, self._now)


def test_of_a_thousand_calls_exactly_the_limit_passes(careful: DynamoRateLimiter, fresh: Callable[[str], str]) -> None:
    user, rate = fresh("user"), Rate(LIMIT, 60)
    assert passed(lambda: careful.hit(user, "GET /x", rate)) == LIMIT


def test_of_many_starts_exactly_the_limit_passes(careful: DynamoRateLimiter, fresh: Callable[[str], str]) -> None:
    user, rate = fresh("user"), Rate(60, 60)
    assert passed(lambda: careful.acquire(user, rate, 1_000, 100), 5) == 60


def test_of_many_starts_at_the_end_of_a_full_minute_exactly_the_limit_passes(
    cloud: App, fresh: Callable[[str], str]
) -> None:
    clock, user, rate = FakeClock(), fresh("user"), Rate(30, 60)
    limiter = DynamoRateLimiter(cloud.name("LIMITS_TABLE"), clock)
    for _ in range(2):
        assert passed(lambda: limiter.acquire(user, rate, 1_000, 30), 2) == 30
        clock.pass_seconds(60)


def test_never_more_are_in_flight_than_may_be(careful: DynamoRateLimiter, fresh: Callable[[str], str]) -> None:
    flights = Flights(careful, fresh("user"))
    assert passed(flights.fly, 4) >= MAX
    assert flights.most_seen == MAX


def test_this_test_would_notice_a_careless_count(careless: CarelessRateLimiter, fresh: Callable[[str], str]) -> None:
    user, rate = fresh("user"), Rate(LIMIT, 60)
    assert passed(lambda: careless.hit(user, "GET /x", rate), 8) > LIMIT


def test_this_test_would_notice_careless_leases(careless: CarelessRateLimiter, fresh: Callable[[str], str]) -> None:
    flights = Flights(careless, fresh("user"))
    passed(flights.fly, 4)
    assert flights.most_seen > MAX
