"""The throttle of each function: the counter, the allowed rate and the table."""

from typing import Any

import pytest

from instant.adapters.access.rate_limiter import DynamoRateLimiter
from instant.domain.limits import HOUR, MINUTE, Rate
from instant.entrypoints.http.throttles import KEY_CHECKS, throttle_of
from instant.settings import (
    CountedSettings,
    ExecuteSettings,
    HttpSettings,
    IntegrationsSettings,
    KeyCheckSettings,
    StreamSettings,
)
from instant.use_cases.access.throttle import (
    ConcurrencyThrottle,
    KeyCheckThrottle,
    RequestThrottle,
    Throttle,
    ThrottleByRoute,
)

FACTS: dict[str, Any] = {
    "limits_table": "limits",
    "rate_per_minute": 2,
    "key_checks_per_hour": 3,
    "execute_per_minute": 4,
}


def throttle_with(kind: type[HttpSettings]) -> Throttle:
    throttle = throttle_of(kind.model_construct(**FACTS, max_in_flight=5))
    assert throttle is not None
    return throttle


def test_throttle_of_a_function_without_limits_is_none() -> None:
    assert throttle_of(HttpSettings()) is None


def test_throttles_limit_executions_by_rate_and_concurrency() -> None:
    throttle = throttle_with(ExecuteSettings)
    assert isinstance(throttle, ConcurrencyThrottle)
    assert (throttle.rate, throttle.max_in_flight, throttle.lease_seconds) == (Rate(4, MINUTE), 5, None)
    assert_counts_in_the_table(throttle.limiter)


def test_throttle_of_streams_has_short_leases() -> None:
    throttle = throttle_with(StreamSettings)
    assert isinstance(throttle, ConcurrencyThrottle)
    assert (throttle.rate, throttle.max_in_flight, throttle.lease_seconds) == (Rate(4, MINUTE), 5, 90)


@pytest.mark.parametrize(
    ("settings", "kind", "rate"),
    [(CountedSettings, RequestThrottle, Rate(2, MINUTE)), (KeyCheckSettings, KeyCheckThrottle, Rate(3, HOUR))],
)
def test_throttles_limit_other_calls_by_one_rate(
    settings: type[HttpSettings], kind: type[RequestThrottle | KeyCheckThrottle], rate: Rate
) -> None:
    assert_is(throttle_with(settings), kind, rate)


def test_throttles_limit_only_service_calls_as_key_checks() -> None:
    throttle = throttle_with(IntegrationsSettings)
    assert isinstance(throttle, ThrottleByRoute)
    assert_is(throttle.usual, RequestThrottle, Rate(2, MINUTE))
    assert throttle.special.keys() == set(KEY_CHECKS)
    for special in throttle.special.values():
        assert_is(special, KeyCheckThrottle, Rate(3, HOUR))


def assert_is(throttle: Throttle, kind: type[RequestThrottle | KeyCheckThrottle], rate: Rate) -> None:
    assert isinstance(throttle, kind)
    assert throttle.rate == rate
    assert_counts_in_the_table(throttle.limiter)


def assert_counts_in_the_table(limiter: object) -> None:
    assert isinstance(limiter, DynamoRateLimiter)
    assert limiter._table == "limits"
