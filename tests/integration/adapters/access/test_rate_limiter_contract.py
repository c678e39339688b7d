"""The contract of both rate limiters: in DynamoDB, and in memory for the simulator."""

from collections.abc import Callable
from random import Random

import pytest

from instant.adapters.access.rate_limiter import DynamoRateLimiter
from instant.domain.errors import RateLimited
from instant.domain.limits import Rate
from instant.ports.access.rate_limiter import RateLimiter
from tests.fakes.clock import FakeClock
from tests.fakes.rate_limiter import MemoryRateLimiter
from tests.integration.app import App

RATE = Rate(3, 30)
MOST = 4
STEPS = 60


def history(limiter: RateLimiter, clock: FakeClock, user: str, rng: Random) -> list[object]:
    """Return the results of random calls of one user; leases are named by the step that acquired them."""
    results: list[object] = []
    leases: dict[int, str] = {}
    for step in range(STEPS):
        clock.pass_seconds(rng.choice([0, 0, 1, 20, 45, 90]))
        what, chosen = rng.choice(["hit", "acquire", "acquire", "renew", "release"]), rng.random()
        try:
            if what == "hit":
                limiter.hit(user, "GET /api/resources", RATE)
            elif what == "acquire":
                leases[step] = limiter.acquire(user, RATE, MOST, 90)
            elif leases:
                key = sorted(leases)[int(chosen * len(leases))]
                if what == "renew":
                    leases[key] = limiter.renew(user, leases[key], 90)
                else:
                    limiter.release(user, leases.pop(key))
            results.append(what)
        except RateLimited as error:
            results.append((error.details, error.retry_after))
    return results


@pytest.mark.parametrize("seed", range(30))
def test_both_rate_limiters_give_the_same_results(cloud: App, fresh: Callable[[str], str], seed: int) -> None:
    clocks = FakeClock(), FakeClock()
    user = fresh("user")
    table = cloud.name("LIMITS_TABLE")
    in_memory = history(MemoryRateLimiter(clocks[0]), clocks[0], user, Random(seed))
    in_dynamo = history(DynamoRateLimiter(table, clocks[1]), clocks[1], user, Random(seed))
    assert in_memory == in_dynamo


def test_histories_reach_both_limits() -> None:
    results: list[object] = []
    for seed in range(30):
        clock = FakeClock()
        results += history(MemoryRateLimiter(clock), clock, "user_alice", Random(seed))
    limits = {result[0]["limit"] for result in results if isinstance(result, tuple)}
    assert limits == {"rate", "in_flight"}
