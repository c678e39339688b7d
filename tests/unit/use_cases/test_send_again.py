"""What is sent again, how often, after how long, and what never is."""

from collections.abc import Callable

import pytest

from instant.domain.errors import (
    DeadlineExceeded,
    EmptyAnswer,
    InstantError,
    OutcomeUnknown,
    RateLimited,
    UpstreamError,
    UpstreamUnavailable,
)
from instant.use_cases.send_again import LEAST_TIME, LONGEST_WAIT, MOST_REPEATS, send_again
from tests.fakes.clock import FakeClock


def no_room(wait: float | None = None) -> InstantError:
    """The service was not reached, or had no room."""
    return UpstreamUnavailable("No room.", retry_after=wait, nothing_done=True)  # type: ignore[arg-type]


class Service:
    """Fails with these, one after the other, and then succeeds."""

    def __init__(self, *errors: Exception) -> None:
        """Not called yet."""
        self._errors = list(errors)
        self.calls = 0

    def __call__(self) -> str:
        """Fail or succeed."""
        self.calls += 1
        if self._errors:
            raise self._errors.pop(0)
        return "done"


def latest(low: float, high: float) -> float:
    """The longest that chance allows."""
    return high


def tried(
    service: Service, seconds: float = 100, jitter: Callable[[float, float], float] = latest
) -> tuple[object, float]:
    """What came of it, and how long was waited."""
    clock = FakeClock()
    try:
        result: object = send_again(service, lambda: seconds - clock.monotonic(), clock, jitter)
    except Exception as error:
        result = error
    return result, clock.monotonic()


def test_what_was_not_begun_is_tried_again() -> None:
    service = Service(no_room(), no_room())
    result, waited = tried(service)
    assert (result, service.calls) == ("done", 3)
    assert waited == pytest.approx(0.5 * 1.5 + 1.0 * 1.5)


def test_twice_at_most() -> None:
    errors = [no_room() for _ in range(5)]
    service = Service(*errors)
    result, _ = tried(service)
    assert result is errors[MOST_REPEATS]
    assert service.calls == 1 + MOST_REPEATS


def test_a_wait_that_is_asked_for_is_kept_and_spread() -> None:
    result, waited = tried(Service(no_room(2)))
    assert (result, waited) == ("done", 2.5)


@pytest.mark.parametrize("wait", [LONGEST_WAIT, 60])
def test_a_long_wait_is_the_caller_s_to_decide(wait: float) -> None:
    service = Service(no_room(wait))
    result, waited = tried(service)
    assert (type(result), service.calls, waited) == (UpstreamUnavailable, 1, 0)


def test_a_rate_limit_without_a_wait_is_not_tried_again() -> None:
    service = Service(RateLimited("Too often.", nothing_done=True))
    assert (type(tried(service)[0]), service.calls) == (RateLimited, 1)


def test_a_rate_limit_with_a_short_wait_is() -> None:
    service = Service(RateLimited("Too often.", retry_after=1, nothing_done=True))
    assert tried(service) == ("done", 1.5)


@pytest.mark.parametrize(
    "error",
    [
        DeadlineExceeded("Late.", outcome_unknown=True),
        OutcomeUnknown("Lost.", outcome_unknown=True),
        UpstreamError("A 502."),
        EmptyAnswer("Nothing."),
        UpstreamUnavailable("Who knows."),
        RateLimited("Inside a 200.", retry_after=1),
        ValueError("a bug"),
    ],
    ids=repr,
)
def test_nothing_else_is_ever_sent_again(error: Exception) -> None:
    service = Service(error)
    result, waited = tried(service)
    assert (result, service.calls, waited) == (error, 1, 0)


@pytest.mark.parametrize(("seconds", "calls"), [(LEAST_TIME + 0.75, 2), (LEAST_TIME + 0.74, 1), (0.0, 1)])
def test_a_repeat_has_time_to_run(seconds: float, calls: int) -> None:
    service = Service(no_room(), ValueError("stop"))
    tried(service, seconds)
    assert service.calls == calls
