"""Deadlines of calls to services, on a clock that advances when it is read, not with real time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from instant.adapters.http.upstream import HttpResponse, HttpUpstream
from instant.domain.exchange import Request
from tests.fakes.clock import TickingClock
from tests.integration.app import App

TICK = 0.01
"""Seconds by which each reading advances the clock; a call with some tenths of a second can still be sent."""


class TimedUpstream(HttpUpstream):
    """An upstream client that records the timeout of each call in `allowed`."""

    def __init__(self, url: str) -> None:
        """Use `url` as the base URL of OpenRouter."""
        super().__init__(lambda name: url, TickingClock(TICK))
        self.allowed: list[float] = []

    @contextmanager
    def open(
        self, request: Request, *, seconds: float, on_wait: Callable[[], None] | None = None
    ) -> Iterator[HttpResponse]:
        """Return the response to one request."""
        self.allowed.append(seconds)
        with super().open(request, seconds=seconds, on_wait=on_wait) as response:
            yield response


@contextmanager
def little_time(app: App, function: str, seconds: float) -> Iterator[TimedUpstream]:
    """Give invocations `seconds` of remaining time, and the function's calls to services a ticking clock."""
    module, before = app.module(function), app.seconds
    deps, upstream = module.deps, TimedUpstream(app.fake.url)
    module.deps, app.seconds = replace(deps, upstream=upstream), seconds
    try:
        yield upstream
    finally:
        module.deps, app.seconds = deps, before
        upstream.close()
