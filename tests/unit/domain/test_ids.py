"""Ids are opaque, unique, and sort by creation time."""

import re
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from instant.domain.ids import base32, new_id

TIMES = st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def test_ids_consist_of_a_prefix_and_26_crockford_characters() -> None:
    made = new_id("res", datetime(2026, 11, 22, tzinfo=UTC))
    assert re.fullmatch(r"res_[0-9A-HJKMNP-TV-Z]{26}", made)


@given(TIMES, st.integers(min_value=1, max_value=10**9))
def test_ids_sort_by_creation_millisecond(when: datetime, milliseconds: int) -> None:
    later = when + timedelta(milliseconds=milliseconds)
    assert new_id("exe", when) < new_id("exe", later)


def test_ids_created_at_the_same_time_differ() -> None:
    when = datetime(2026, 11, 22, tzinfo=UTC)
    assert len({new_id("exe", when) for _ in range(1000)}) == 1000


@given(st.integers(min_value=0, max_value=2**128 - 1), st.integers(min_value=0, max_value=2**128 - 1))
def test_ids_base32_keeps_numeric_order(one: int, other: int) -> None:
    assert (base32(one, 26) < base32(other, 26)) == (one < other)


def test_ids_base32_is_padded() -> None:
    assert base32(0, 4) == "0000"
    assert base32(31, 2) == "0Z"
