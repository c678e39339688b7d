"""Routes share the default throttle, except those with their own; a lease is renewed while it is held."""

from contextlib import AbstractContextManager, nullcontext

import pytest

from instant.domain.errors import LimitsUnavailable
from instant.domain.limits import Rate
from instant.use_cases.access.throttle import ConcurrencyThrottle, Lease, Throttle, ThrottleByRoute
from tests.fakes.clock import FakeClock


class Recorder:
    """A rate limiter that records its calls; a renewal fails if `is_down`."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, float]] = []
        self.is_down = False

    def hit(self, user_id: str, what: str, rate: Rate) -> None:
        raise NotImplementedError

    def acquire(self, user_id: str, rate: Rate, most: int, seconds: float) -> str:
        self.calls.append(("acquire", seconds))
        return "lease"

    def renew(self, user_id: str, lease: str, seconds: float) -> str:
        assert user_id
        self.calls.append((f"renew {lease}", seconds))
        if self.is_down:
            raise LimitsUnavailable("Not now.")
        return f"{lease}+"

    def release(self, user_id: str, lease: str) -> None:
        self.calls.append((f"release {lease}", 0))


def test_throttle_by_route_uses_its_own_or_the_default() -> None:
    calls: list[tuple[str, str, str, float]] = []

    def named_throttle(name: str) -> Throttle:
        def throttle(user_id: str, route: str, seconds_left: float) -> AbstractContextManager[Lease | None]:
            calls.append((name, user_id, route, seconds_left))
            return nullcontext()

        return throttle

    throttle = ThrottleByRoute(named_throttle("usual"), {"POST /b": named_throttle("special")})
    for number, route in enumerate(("GET /a", "POST /b")):
        with throttle("user_alice", route, number):
            pass
    assert calls == [("usual", "user_alice", "GET /a", 0), ("special", "user_alice", "POST /b", 1)]


def held(limiter: Recorder, clock: FakeClock, seconds: float | None) -> AbstractContextManager[Lease]:
    """Hold a lease of `seconds` in an invocation that has 100 s left."""
    throttle = ConcurrencyThrottle(limiter, Rate(1, 60), 1, clock, lease_seconds=seconds)
    return throttle("user_alice", "POST /b", 100)


def test_lease_lasts_as_long_as_the_invocation_or_as_long_as_is_set() -> None:
    limiter, clock = Recorder(), FakeClock()
    for seconds in (None, 90):
        with held(limiter, clock, seconds):
            pass
    assert limiter.calls == [("acquire", 130), ("release lease", 0), ("acquire", 90), ("release lease", 0)]


def test_lease_is_renewed_every_30_seconds_and_the_last_one_is_released() -> None:
    limiter, clock = Recorder(), FakeClock()
    with held(limiter, clock, 90) as lease:
        for _ in range(61):
            lease.renew_when_due()
            clock.pass_seconds(1)
    assert limiter.calls == [
        ("acquire", 90), ("renew lease", 90), ("renew lease+", 90), ("release lease++", 0),
    ]  # fmt: skip


def test_renewal_that_fails_is_logged_and_repeated_when_it_is_due(caplog: pytest.LogCaptureFixture) -> None:
    limiter, clock = Recorder(), FakeClock()
    with held(limiter, clock, 90) as lease:
        for is_down in (True, False):
            limiter.is_down = is_down
            clock.pass_seconds(30)
            lease.renew_when_due()
    assert "a lease was not renewed" in caplog.text
    assert [name for name, _ in limiter.calls] == ["acquire", "renew lease", "renew lease", "release lease+"]
