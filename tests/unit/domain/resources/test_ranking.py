"""Rankings: more calls rank higher, and a success rate is weighted by the calls behind it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instant.domain.resources.ranking import UseCounts, usage_of
from instant.domain.resources.stats import Stats

COUNTS = st.integers(0, 10**9)


@pytest.mark.parametrize(
    ("calls", "successes", "rate"), [(0, 0, 0), (1, 1, 0.2065), (10, 10, 0.7225), (35, 35, 0.9011), (1000, 990, 0.9817)]
)
def test_ranking_rate_is_the_wilson_lower_bound(calls: int, successes: int, rate: float) -> None:
    assert UseCounts(calls, successes).sure_rate == pytest.approx(rate, abs=1e-4)


@given(COUNTS, st.integers(0, 10**9))
def test_ranking_rate_never_exceeds_the_plain_rate(calls: int, failures: int) -> None:
    usage = UseCounts(calls + failures, calls)
    assert 0 <= usage.sure_rate <= (calls / (calls + failures) if calls + failures else 0) + 1e-12


@given(COUNTS, COUNTS)
def test_ranking_text_order_matches_numeric_order(one: int, other: int) -> None:
    ranks = [UseCounts(calls, 0).calls_rank("res_1") for calls in (one, other)]
    assert (ranks[0] < ranks[1]) == (one < other)
    rates = [UseCounts(10**9, successes) for successes in (one, other)]
    texts = [usage.success_rank("res_1") for usage in rates]
    assert (texts[0] <= texts[1]) == (round(rates[0].sure_rate * 10**9) <= round(rates[1].sure_rate * 10**9))


def test_ranking_breaks_ties_by_age() -> None:
    assert UseCounts(3, 3).calls_rank("res_2") > UseCounts(3, 1).calls_rank("res_1")


def test_ranking_counts_the_last_thirty_days() -> None:
    assert usage_of(Stats(call_count=99, success_count_30d=3, failure_count_30d=2)) == UseCounts(5, 3)
