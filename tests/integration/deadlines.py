"""Deadlines of calls to services, met after so many readings of a clock: the machine may be as slow as it likes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from instant.adapters.upstream import HttpUpstream
from instant.domain.exchange import Reply, Request
from instant.integrations.openrouter.wire import BASE_URL
from tests.fakes.clock import TickingClock
from tests.integration.house import House

TICK = 0.01
"""Seconds that a reading of the clock takes: a call that gets some tenths of a second has time to be sent."""


class TimedUpstream(HttpUpstream):
    """Notes how long each call may take, in `allowed`."""

    def __init__(self, url: str) -> None:
        """Reach OpenRouter at `url`."""
        super().__init__({BASE_URL: url}, TickingClock(TICK))
        self.allowed: list[float] = []

    def send(self, request: Request, *, seconds: float, named: Callable[[str], None] | None = None) -> Reply:
        """One exchange."""
        self.allowed.append(seconds)
        return super().send(request, seconds=seconds, named=named)


@contextmanager
def little_time(house: House, function: str, seconds: float) -> Iterator[TimedUpstream]:
    """Invocations have `seconds` left, and the function's calls to services run by a ticking clock."""
    module, before = house.module(function), house.seconds
    doors, upstream = module.doors, TimedUpstream(house.fake.url)
    module.doors, house.seconds = replace(doors, upstream=upstream), seconds
    try:
        yield upstream
    finally:
        module.doors, house.seconds = doors, before
        upstream.close()
