"""Rate limits."""

from typing import Protocol

from instant.domain.limits import Rate


class RateLimiter(Protocol):
    """How much each user calls; `LimitsUnavailable` when that cannot be told."""

    def hit(self, user_id: str, what: str, rate: Rate) -> None:
        """Count one call; `RateLimited` if `rate` allows no more in the present window."""

    def acquire(self, user_id: str, rate: Rate, most: int, seconds: float) -> str:
        """Let an execution begin and hold one of `most` leases, for `seconds` at the longest; else `RateLimited`."""

    def release(self, user_id: str, lease: str) -> None:
        """Give a lease back; again is a no-op."""
