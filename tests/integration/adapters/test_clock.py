"""The real clock tells UTC, and only ever goes forward."""

from datetime import UTC, datetime, timedelta

from instant.adapters.clock import SystemClock


def test_it_tells_the_time_in_utc() -> None:
    now = SystemClock().now()
    assert now.utcoffset() == timedelta(0)
    assert abs(now - datetime.now(UTC)) < timedelta(minutes=1)


def test_it_goes_forward() -> None:
    clock = SystemClock()
    ticks = [clock.monotonic() for _ in range(100)]
    assert ticks == sorted(ticks)
