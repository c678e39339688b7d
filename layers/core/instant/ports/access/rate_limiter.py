"""Rate limits."""

from typing import Protocol

from instant.domain.limits import Rate


class RateLimiter(Protocol):
    """Rate and concurrency limits per user; `LimitsUnavailable` when the counts cannot be read."""

    def hit(self, user_id: str, what: str, rate: Rate) -> None:
        """Count one call; `RateLimited` if `rate` allows no more in the current window."""

    def acquire(self, user_id: str, rate: Rate, most: int, seconds: float) -> str:
        """Acquire one of `most` leases for an execution, which expires after `seconds`; else `RateLimited`."""

    def renew(self, user_id: str, lease: str, seconds: float) -> str:
        """The lease that replaces this one and expires after `seconds`; without an answer, this one is still held."""

    def release(self, user_id: str, lease: str) -> None:
        """Release a lease; idempotent."""
