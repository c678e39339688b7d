"""Fixtures of the rate limiter: a test clock, the limiter, and a user without requests."""

from collections.abc import Callable

import pytest

from instant.adapters.access.rate_limiter import DynamoRateLimiter
from tests.fakes.clock import FakeClock
from tests.integration.app import App


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def limiter(cloud: App, clock: FakeClock) -> DynamoRateLimiter:
    return DynamoRateLimiter(cloud.name("LIMITS_TABLE"), clock)


@pytest.fixture
def user(fresh: Callable[[str], str]) -> str:
    return fresh("user")
