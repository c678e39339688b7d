"""`Retry-After` is read as seconds, with decimals, and as a date, as RFC 9110 allows and as services send it."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instant.domain.exchange import Reply, seconds_to_wait

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("40", 40),
        (" 40 ", 40),
        ("1.2", 2),
        ("2.0", 2),
        ("3.", 3),
        ("0.001", 1),
        ("Sun, 22 Nov 2026 12:02:00 GMT", 120),
        ("sun, 22 nov 2026 12:02:00 gmt", 120),
        ("Sunday, 22-Nov-26 12:02:00 GMT", 120),
        ("Sun Nov 22 12:02:00 2026", 120),
        ("Sun, 22 Nov 2026 14:02:00 +0200", 120),
        ("Sun, 22 Nov 2026 11:59:00 GMT", 0),
        ("", None),
        ("-1", None),
        ("1,5", None),
        ("1e9", None),
        ("\u0661\u0662", None),
        ("soon", None),
        ("40 seconds", None),
        ("Sun, 99 Nov 2026 12:02:00 GMT", None),
    ],
)
def test_retry_after_returns_seconds(value: str, seconds: int | None) -> None:
    assert seconds_to_wait(value, NOW) == seconds


def test_retry_after_ignores_a_date_without_the_current_time() -> None:
    assert seconds_to_wait("Sun, 22 Nov 2026 12:02:00 GMT", None) is None
    assert seconds_to_wait("40", None) == 40


def test_retry_after_of_a_reply_counts_from_its_date() -> None:
    headers = {"date": "Sun, 22 Nov 2026 12:00:00 GMT", "retry-after": "Sun, 22 Nov 2026 12:02:00 GMT"}
    assert Reply(status=429, body=b"", headers=headers).retry_after == 120


@given(st.text())
def test_retry_after_never_raises(value: str) -> None:
    seconds = seconds_to_wait(value, NOW)
    assert seconds is None or seconds >= 0
