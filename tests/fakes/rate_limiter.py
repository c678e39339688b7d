"""An in-memory rate limiter with the same guarantees as the real one, but without concurrency or lost responses.

`tests/integration/adapters/access/test_rate_limiter_contract.py` runs both through the same histories.
"""

import itertools
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from instant.domain.access.start_window import StartWindow, slot_at
from instant.domain.limits import Rate, too_many_in_flight
from instant.ports.clock import Clock


@dataclass
class Tickets:
    """The starts of one user, and the end of each lease by its id."""

    starts: StartWindow = field(default_factory=lambda: StartWindow(0))
    leases: dict[str, float] = field(default_factory=dict)


class MemoryRateLimiter:
    """Implements the port RateLimiter."""

    def __init__(self, clock: Clock) -> None:
        """Start empty."""
        self.held: defaultdict[str, Tickets] = defaultdict(Tickets)
        self._clock = clock
        self._numbers = itertools.count()
        self._counts: Counter[tuple[str, str, int]] = Counter()

    def hit(self, user_id: str, what: str, rate: Rate) -> None:
        window, passed = divmod(self._now, rate.seconds)
        key = user_id, what, int(window)
        if self._counts[key] >= rate.limit:
            raise rate.exceeded(rate.seconds - passed)
        self._counts[key] += 1

    def acquire(self, user_id: str, rate: Rate, most: int, seconds: float) -> str:
        held = self.held[user_id]
        starts = held.starts.moved_to(slot_at(self._now), rate)
        if len(held.leases) >= most:
            held.leases = {lease: end for lease, end in held.leases.items() if end > self._now}
        if len(held.leases) >= most:
            raise too_many_in_flight(most)
        if starts.count >= rate.limit:
            raise rate.exceeded(starts.free_at(rate) - self._now)
        lease = f"lease-{next(self._numbers)}"
        held.starts = starts.with_start()
        held.leases[lease] = self._now + seconds
        return lease

    def renew(self, user_id: str, lease: str, seconds: float) -> str:
        leases = self.held[user_id].leases
        leases[lease] = max(leases.get(lease, 0), self._now + seconds)
        return lease

    def release(self, user_id: str, lease: str) -> None:
        self.held[user_id].leases.pop(lease, None)

    @property
    def _now(self) -> float:
        return self._clock.now().timestamp()
