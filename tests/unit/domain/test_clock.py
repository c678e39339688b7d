"""Timestamps are in UTC, have one length, and sort in time order."""

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from instant.domain.clock import format_time, parse_time

ZONES = st.integers(-12 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
TIMES = st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2200, 1, 1), timezones=ZONES)  # noqa: DTZ001


def test_clock_format_has_utc_and_microseconds() -> None:
    assert format_time(datetime(2026, 11, 22, 20, 17, 24, 123, tzinfo=UTC)) == "2026-11-22T20:17:24.000123Z"


@given(TIMES)
def test_clock_format_is_parsed_to_the_same_time(when: datetime) -> None:
    assert parse_time(format_time(when)) == when
    assert len(format_time(when)) == 27


@given(TIMES, TIMES)
def test_clock_format_order_matches_time_order(one: datetime, other: datetime) -> None:
    assert (format_time(one) < format_time(other)) == (one < other)
