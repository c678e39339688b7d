"""Repeat what the service did not begin: no connection, no room, or too many calls for a moment. Nothing else is."""

import logging
import random
from collections.abc import Callable

from instant.domain.errors import InstantError, RateLimited
from instant.ports import Clock

MOST_REPEATS = 2
"""How often a call is sent again, at most."""

LONGEST_WAIT = 5.0
"""Seconds that are waited for a service at most; if it asks for more, its caller may decide."""

LEAST_TIME = 10.0
"""Seconds that a repeat must have left to run: one that is cut off is a call of unknown outcome."""

_FIRST_WAIT = 0.5

_log = logging.getLogger(__name__)


def send_again[Result](
    run: Callable[[], Result],
    seconds_left: Callable[[], float],
    clock: Clock,
    jitter: Callable[[float, float], float] = random.uniform,
) -> Result:
    """What `run` gives, tried again where it certainly did nothing and there is time; its failure otherwise."""
    for repeat in range(MOST_REPEATS):
        try:
            return run()
        except InstantError as error:
            wait = _wait(error, repeat, jitter)
            if wait is None or seconds_left() - wait < LEAST_TIME:
                raise
            _log.info("sent again", extra={"code": error.code, "repeat": repeat + 1})
        clock.sleep(wait)
    return run()


def _wait(error: InstantError, repeat: int, jitter: Callable[[float, float], float]) -> float | None:
    """Seconds until it makes sense to try again, spread so that many callers do not come back at once; or None."""
    if not error.nothing_done:
        return None
    asked = error.retry_after
    if asked is None:
        return None if isinstance(error, RateLimited) else jitter(0.5, 1.5) * _FIRST_WAIT * 2**repeat
    return asked + jitter(0, 0.5) if asked < LONGEST_WAIT else None
