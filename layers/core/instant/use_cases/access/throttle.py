"""Throttle each user: if the rate limiter is unavailable, reads fail open and spending calls fail closed."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol

from instant.domain.clock import LEASE_SLACK, RENEWAL_SECONDS, Every
from instant.domain.errors import LimitsUnavailable
from instant.domain.limits import Rate
from instant.ports.access.rate_limiter import RateLimiter
from instant.ports.clock import Clock

_log = logging.getLogger(__name__)


class Lease:
    """A place among the user's executions in flight, which expires `seconds` after it was acquired or renewed."""

    def __init__(self, limiter: RateLimiter, user_id: str, ticket: str, seconds: float, clock: Clock) -> None:
        """Hold the ticket, which was acquired now."""
        self._limiter, self._user_id, self._ticket, self._seconds = limiter, user_id, ticket, seconds
        self._renewal = Every(RENEWAL_SECONDS, clock.monotonic)

    def renew_when_due(self) -> None:
        """Renew it if 30 seconds have passed; a failure is logged and does not stop the execution."""
        if not self._renewal.is_due():
            return
        try:
            self._ticket = self._limiter.renew(self._user_id, self._ticket, self._seconds)
        except LimitsUnavailable as error:
            _log.warning("a lease was not renewed: %r", error.__cause__)

    def release(self) -> None:
        """Release it; a failure is logged and does not fail the call, which may have been charged."""
        try:
            self._limiter.release(self._user_id, self._ticket)
        except LimitsUnavailable as error:
            _log.warning("a lease was not released and will expire: %r", error.__cause__)


class Throttle(Protocol):
    """A throttle that a call enters before its body is read, and leaves after the response."""

    def __call__(self, user_id: str, route: str, seconds_left: float) -> AbstractContextManager[Lease | None]:
        """Admit the call, or raise `RateLimited` or `LimitsUnavailable`; the invocation ends in `seconds_left`."""


@dataclass(frozen=True, slots=True)
class ThrottleByRoute:
    """The default throttle, and others for some routes, given by method and path as in the template."""

    usual: Throttle
    special: Mapping[str, Throttle]

    def __call__(self, user_id: str, route: str, seconds_left: float) -> AbstractContextManager[Lease | None]:
        """Apply the throttle of the route."""
        return self.special.get(route, self.usual)(user_id, route, seconds_left)


@dataclass(frozen=True, slots=True)
class RequestThrottle:
    """A rate limit per user and route; fails open if the rate limiter is unavailable."""

    limiter: RateLimiter
    rate: Rate

    @contextmanager
    def __call__(self, user_id: str, route: str, seconds_left: float) -> Iterator[None]:
        """Count the call."""
        try:
            self.limiter.hit(user_id, route, self.rate)
        except LimitsUnavailable as error:
            _log.warning("a call was not counted: %r", error.__cause__)
        yield


@dataclass(frozen=True, slots=True)
class KeyCheckThrottle:
    """A rate limit per user over all routes that check a key, so that they cannot be used to test stolen keys.

    Fails closed if the rate limiter is unavailable.
    """

    limiter: RateLimiter
    rate: Rate

    @contextmanager
    def __call__(self, user_id: str, route: str, seconds_left: float) -> Iterator[None]:
        """Count the check."""
        self.limiter.hit(user_id, "key checks", self.rate)
        yield


@dataclass(frozen=True, slots=True)
class ConcurrencyThrottle:
    """A rate limit and a concurrency limit per user; fails closed if the rate limiter is unavailable.

    Without `lease_seconds`, a lease lasts as long as the invocation, and need not be renewed.
    """

    limiter: RateLimiter
    rate: Rate
    max_in_flight: int
    clock: Clock
    lease_seconds: float | None = None

    @contextmanager
    def __call__(self, user_id: str, route: str, seconds_left: float) -> Iterator[Lease]:
        """Hold a lease during the call; it is released at the end, and expires after a crash."""
        seconds = self.lease_seconds or seconds_left + LEASE_SLACK
        ticket = self.limiter.acquire(user_id, self.rate, self.max_in_flight, seconds)
        lease = Lease(self.limiter, user_id, ticket, seconds, self.clock)
        try:
            yield lease
        finally:
            lease.release()
