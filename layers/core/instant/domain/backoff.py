"""Exponential backoff with jitter: how long to wait before each retry."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """At most `attempts` attempts; waits double from `initial` to `max` seconds, and `spread` of each is random.

    With a spread of 1 (full jitter), callers that failed together retry at times spread over the whole wait.
    """

    attempts: int
    initial: float
    max: float
    spread: float = 1.0
    jitter: Callable[[float, float], float] = random.uniform

    def delays(self) -> Iterator[float]:
        """Seconds to wait before the second attempt, the third, and so on."""
        for retry in range(self.attempts - 1):
            longest = min(self.initial * 2**retry, self.max)
            yield self.jitter(longest * (1 - self.spread), longest)
