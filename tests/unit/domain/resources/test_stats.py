"""The statistics window covers thirty UTC days including today."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instant.domain.resources.stats import WINDOW_DAYS, window_start


@pytest.mark.parametrize(
    ("today", "first"),
    [
        ("2026-11-22", "2026-10-24"),
        ("2026-01-31", "2026-01-02"),
        ("2026-03-01", "2026-01-31"),
        ("2028-02-29", "2028-01-31"),
        ("2028-03-01", "2028-02-01"),
        ("2028-03-30", "2028-03-01"),
        ("2027-01-01", "2026-12-03"),
    ],
)
def test_stats_window_returns_its_first_day(today: str, first: str) -> None:
    assert window_start(date.fromisoformat(today)).isoformat() == first


@given(st.dates(min_value=date(2000, 1, 1)))
def test_stats_window_always_has_thirty_days(today: date) -> None:
    assert (today - window_start(today)).days + 1 == WINDOW_DAYS == 30
    assert window_start(today) > today - timedelta(days=30)
