"""The sliding window of starts: never more than the limit in any period of the rate's length, in constant space."""

from collections.abc import Iterator
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instant.domain.access.start_window import SLOT_SECONDS, StartWindow, slot_at
from instant.domain.limits import Rate

MINUTE = 60
THREE = Rate(3, MINUTE)
WAITS = st.lists(st.one_of(st.sampled_from([0.0, 0.001, 4.999, 5.0, 55.0, 60.0, 65.0]), st.floats(0, 70)), max_size=80)


def decisions(times: list[float], rate: Rate) -> Iterator[tuple[float, bool, StartWindow]]:
    """Each time of a request, whether it was allowed, and the window that decided."""
    window = StartWindow(0)
    for time in times:
        moved = window.moved_to(slot_at(time), rate)
        is_allowed = moved.count < rate.limit
        if is_allowed:
            window = moved.with_start()
        yield time, is_allowed, moved


@given(WAITS, st.integers(1, 8), st.sampled_from([1, 7, 30, MINUTE]), st.floats(0, 1e9))
def test_window_allows_the_limit_in_any_period_and_rejects_for_five_more_seconds(
    waits: list[float], limit: int, seconds: int, begin: float
) -> None:
    rate = Rate(limit, seconds)
    allowed: list[float] = []
    for time, is_allowed, window in decisions(list(accumulate(waits, initial=begin)), rate):
        assert len(window.marks) <= -(-seconds // SLOT_SECONDS) + 1
        if is_allowed:
            allowed.append(time)
            assert len([each for each in allowed if each > time - seconds]) <= limit
        else:
            reach = -(-seconds // SLOT_SECONDS) * SLOT_SECONDS + SLOT_SECONDS
            assert len([each for each in allowed if each > time - reach]) >= limit
            assert 0 < window.free_at(rate) - time <= reach


@given(WAITS, st.integers(1, 8))
def test_start_is_allowed_when_the_window_says_it_is_free(waits: list[float], limit: int) -> None:
    rate = Rate(limit, MINUTE)
    for time, is_allowed, window in decisions(list(accumulate(waits)), rate):
        if not is_allowed:
            free_at = window.free_at(rate)
            assert free_at > time
            assert window.moved_to(slot_at(free_at), rate).count < limit
            assert window.moved_to(slot_at(free_at) - 1, rate).count == limit


@given(WAITS, st.integers(1, 8))
def test_limit_of_the_total_allows_what_the_count_allows(waits: list[float], limit: int) -> None:
    rate = Rate(limit, MINUTE)
    for _, is_allowed, window in decisions(list(accumulate(waits)), rate):
        assert (window.total < window.max_total(rate)) == is_allowed


@pytest.mark.parametrize(("later", "is_free"), [(64.999, False), (65.0, True)])
def test_starts_at_the_begin_of_a_slot_count_for_all_of_it(later: float, is_free: bool) -> None:
    window = StartWindow(slot_at(100.0)).with_start().with_start().with_start()
    assert (window.moved_to(slot_at(100.0 + later), THREE).count < 3) == is_free
    assert window.free_at(THREE) == 165.0


@pytest.mark.parametrize(("time", "is_free"), [(10.0, False), (14.9, False), (15.0, True)])
def test_rate_of_no_whole_number_of_slots_counts_each_slot_that_it_touches(time: float, is_free: bool) -> None:
    rate = Rate(1, 7)
    window = StartWindow(slot_at(4.9)).with_start()
    assert (window.moved_to(slot_at(time), rate).count < 1) == is_free
    assert window.free_at(rate) == 15.0


def test_slots_are_remembered_until_they_are_older_than_the_window() -> None:
    window = StartWindow(0)
    for slot in range(100):
        window = window.moved_to(slot, THREE).with_start()
        assert window.count == min(slot + 1, 13)
    assert all(after[0] - before[0] == 1 for before, after in pairwise(window.marks))
    assert window.moved_to(113, THREE) == StartWindow(113)


def test_earlier_slot_does_not_move_the_window_back() -> None:
    window = StartWindow(20).with_start()
    assert window.moved_to(7, THREE) == window
    assert window.moved_to(7, THREE).with_start().marks == ((20, 0),)
