"""Deadlines of calls to services, met after so many readings of a clock: the machine may be as slow as it likes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from instant.adapters.http.upstream import HttpResponse, HttpUpstream
from instant.domain.exchange import Request
from tests.fakes.clock import TickingClock
from tests.integration.app import App

TICK = 0.01
"""Seconds that a reading of the clock takes: a call that gets some tenths of a second has time to be sent."""


class TimedUpstream(HttpUpstream):
    """Notes how long each call may take, in `allowed`."""

    def __init__(self, url: str) -> None:
        """Reach OpenRouter at `url`."""
        super().__init__(lambda name: url, TickingClock(TICK))
        self.allowed: list[float] = []

    @contextmanager
    def open(self, request: Request, *, seconds: float) -> Iterator[HttpResponse]:
        """The response to one request."""
        self.allowed.append(seconds)
        with super().open(request, seconds=seconds) as response:
            yield response


@contextmanager
def little_time(app: App, function: str, seconds: float) -> Iterator[TimedUpstream]:
    """Invocations have `seconds` left, and the function's calls to services run by a ticking clock."""
    module, before = app.module(function), app.seconds
    deps, upstream = module.deps, TimedUpstream(app.fake.url)
    module.deps, app.seconds = replace(deps, upstream=upstream), seconds
    try:
        yield upstream
    finally:
        module.deps, app.seconds = deps, before
        upstream.close()
