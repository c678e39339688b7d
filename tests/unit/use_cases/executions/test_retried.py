"""Retries of requests: the conditions, the number of attempts, and the delays."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from instant.domain.errors import (
    DeadlineExceeded,
    EmptyAnswer,
    OutcomeUnknown,
    RateLimited,
    UpstreamError,
    UpstreamUnavailable,
)
from instant.domain.exchange import Reply
from instant.domain.executions.failure import Effect, Failure
from instant.use_cases.executions.perform import MAX_RETRY_AFTER, MIN_TIME_FOR_RETRY, RETRY, retried
from tests.fakes.clock import FakeClock

OK = Reply(status=200, body=b"done")
UNREACHED = Failure(UpstreamUnavailable("Not reached."), effect=Effect.NONE)


def busy(status: int = 503, wait: float | str | None = None) -> Reply:
    """Return a response of a service without capacity, with its Retry-After."""
    return Reply(status=status, body=b"", headers={} if wait is None else {"retry-after": str(wait)})


class Service:
    """A service that returns or raises these in order, and then succeeds."""

    def __init__(self, *given: Reply | Exception) -> None:
        """Start without calls."""
        self._given = list(given)
        self.calls = 0

    def __call__(self) -> Reply:
        """Return the next reply or raise the next error."""
        self.calls += 1
        outcome = self._given.pop(0) if self._given else OK
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


def longest(low: float, high: float) -> float:
    """Return the longest delay."""
    return high


def run_retried(
    service: Service, seconds: float = 100, jitter: Callable[[float, float], float] = longest
) -> tuple[object, float]:
    """Return the result or the error, and the time waited."""
    clock = FakeClock()
    try:
        result: object = retried(
            service,
            nothing_done=lambda reply: reply.status in {429, 503},
            seconds_left=lambda: seconds - clock.monotonic(),
            sleep=clock.sleep,
            retry=replace(RETRY, jitter=jitter),
        )
    except Exception as error:
        result = error
    return result, clock.monotonic()


@pytest.mark.parametrize("given", [UNREACHED, busy()], ids=["unreached", "busy"])
def test_retried_retries_requests_that_were_not_begun(given: Reply | Exception) -> None:
    service = Service(given, given)
    result, waited = run_retried(service)
    assert (result, service.calls) == (OK, 3)
    assert waited == pytest.approx(0.5 * 1.5 + 1.0 * 1.5)


def test_retried_adds_jitter_to_its_delays() -> None:
    _, waited = run_retried(Service(UNREACHED, UNREACHED), jitter=lambda low, high: low)
    assert waited == pytest.approx(0.5 * 0.5 + 1.0 * 0.5)


def test_retried_makes_three_attempts_at_most() -> None:
    replies = [busy(wait=number) for number in (1, 2, 3, 4)]
    service = Service(*replies)
    assert run_retried(service)[0] is replies[2]
    assert service.calls == 3
    failures = [Failure(UpstreamUnavailable("Not reached."), effect=Effect.NONE) for _ in range(4)]
    service = Service(*failures)
    assert (run_retried(service)[0], service.calls) == (failures[2], 3)


def test_retried_waits_for_retry_after_plus_a_margin() -> None:
    assert run_retried(Service(busy(wait=2))) == (OK, 2.5)


@pytest.mark.parametrize("wait", [int(MAX_RETRY_AFTER), 60])
def test_retried_does_not_retry_after_a_long_retry_after(wait: int) -> None:
    service, reply = Service(), busy(wait=wait)
    service = Service(reply)
    assert (run_retried(service), service.calls) == ((reply, 0.0), 1)


def test_retried_waits_as_long_as_the_service_says_in_its_body() -> None:
    clock, service = FakeClock(), Service(busy(429))
    result = retried(
        service,
        nothing_done=lambda reply: reply.status == 429,
        retry_after=lambda reply: 3,
        seconds_left=lambda: 100,
        sleep=clock.sleep,
        retry=replace(RETRY, jitter=longest),
    )
    assert (result, service.calls, clock.monotonic()) == (OK, 2, 3.5)


def test_retried_does_not_retry_a_rate_limit_without_retry_after() -> None:
    reply = busy(429)
    service = Service(reply)
    assert (run_retried(service), service.calls) == ((reply, 0.0), 1)


def test_retried_retries_a_rate_limit_with_a_short_retry_after() -> None:
    assert run_retried(Service(busy(429, 1))) == (OK, 1.5)


@pytest.mark.parametrize(
    "given",
    [
        Failure(DeadlineExceeded("Late."), effect=Effect.UNKNOWN),
        Failure(OutcomeUnknown("Lost."), effect=Effect.UNKNOWN),
        Failure(UpstreamError("Refused.")),
        Failure(EmptyAnswer("Nothing.")),
        Failure(RateLimited("Inside a 200.", retry_after=1)),
        UpstreamUnavailable("Who knows."),
        ValueError("a bug"),
        Reply(status=502, body=b""),
        Reply(status=200, body=b"", headers={"retry-after": "1"}),
    ],
    ids=repr,
)
def test_retried_does_not_retry_other_results(given: Reply | Exception) -> None:
    service = Service(given)
    assert (run_retried(service), service.calls) == ((given, 0.0), 1)


@pytest.mark.parametrize(
    ("seconds", "calls"), [(MIN_TIME_FOR_RETRY + 0.75, 2), (MIN_TIME_FOR_RETRY + 0.74, 1), (0.0, 1)]
)
@pytest.mark.parametrize("given", [UNREACHED, busy()], ids=["unreached", "busy"])
def test_retried_does_not_retry_beyond_the_remaining_time(given: Reply | Exception, seconds: float, calls: int) -> None:
    service = Service(given, ValueError("stop"))
    run_retried(service, seconds)
    assert service.calls == calls
