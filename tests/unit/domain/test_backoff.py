"""Backoff: the number of delays, their lengths, and their random part."""

from hypothesis import given
from hypothesis import strategies as st

from instant.domain.backoff import Backoff

SECONDS = st.floats(min_value=0.001, max_value=60)


def longest(_low: float, high: float) -> float:
    return high


def shortest(low: float, _high: float) -> float:
    return low


def test_backoff_doubles_delays_up_to_the_maximum() -> None:
    backoff = Backoff(attempts=6, initial=0.5, max=3, jitter=longest)
    assert list(backoff.delays()) == [0.5, 1, 2, 3, 3]


def test_backoff_returns_no_delay_for_one_attempt() -> None:
    assert list(Backoff(attempts=1, initial=1, max=1).delays()) == []


def test_backoff_full_jitter_starts_at_zero() -> None:
    assert list(Backoff(attempts=3, initial=0.5, max=3, jitter=shortest).delays()) == [0, 0]


def test_backoff_spread_limits_the_random_part() -> None:
    backoff = Backoff(attempts=3, initial=1, max=3, spread=0.25, jitter=shortest)
    assert list(backoff.delays()) == [0.75, 1.5]


@given(st.integers(min_value=1, max_value=20), SECONDS, SECONDS, st.floats(min_value=0, max_value=1))
def test_backoff_random_delays_stay_between_zero_and_the_maximum(
    attempts: int, initial: float, most: float, spread: float
) -> None:
    delays = list(Backoff(attempts=attempts, initial=initial, max=most, spread=spread).delays())
    assert len(delays) == attempts - 1
    assert all(0 <= delay <= most for delay in delays)
