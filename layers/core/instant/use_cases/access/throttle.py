"""Hold each user to the limits: what only reads goes on when they cannot be told, what spends does not."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol

from instant.domain.clock import LEASE_SLACK
from instant.domain.errors import LimitsUnavailable
from instant.domain.limits import Rate
from instant.ports.access.rate_limiter import RateLimiter

_log = logging.getLogger(__name__)


class Throttle(Protocol):
    """What a call of a user passes before anything of it is looked at, and leaves when it is answered."""

    def __call__(self, user_id: str, route: str, seconds_left: float) -> AbstractContextManager[None]:
        """Enter with `RateLimited` or `LimitsUnavailable`, or be let in; the invocation ends in `seconds_left`."""


@dataclass(frozen=True, slots=True)
class ThrottleByRoute:
    """One throttle for most routes, others for some; those are named by method and path as in the template."""

    usual: Throttle
    special: Mapping[str, Throttle]

    def __call__(self, user_id: str, route: str, seconds_left: float) -> AbstractContextManager[None]:
        """Pass the route's own throttle."""
        return self.special.get(route, self.usual)(user_id, route, seconds_left)


@dataclass(frozen=True, slots=True)
class RequestThrottle:
    """A rate for each user and route; open when calls cannot be counted."""

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
    """A rate for each user over all routes that ask a service about a key, or they would tell which stolen keys work.

    Closed when calls cannot be counted.
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
    """A rate, and so many at once, for each user; closed when that cannot be told."""

    limiter: RateLimiter
    rate: Rate
    max_in_flight: int

    @contextmanager
    def __call__(self, user_id: str, route: str, seconds_left: float) -> Iterator[None]:
        """Hold a lease; however the call ends, it is given back, and after a crash it ends by itself."""
        lease = self.limiter.acquire(user_id, self.rate, self.max_in_flight, seconds_left + LEASE_SLACK)
        try:
            yield
        finally:
            self._release(user_id, lease)

    def _release(self, user_id: str, lease: str) -> None:
        """The call is over and may be paid: its answer does not wait for this to succeed."""
        try:
            self.limiter.release(user_id, lease)
        except LimitsUnavailable as error:
            _log.warning("a lease was not given back, and will end by itself: %r", error.__cause__)
