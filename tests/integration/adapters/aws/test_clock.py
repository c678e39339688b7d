"""The system clock returns UTC, and its monotonic time includes suspended time."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from instant.adapters.clock import SystemClock


def test_clock_returns_utc() -> None:
    now = SystemClock().now()
    assert now.utcoffset() == timedelta(0)
    assert abs(now - datetime.now(UTC)) < timedelta(minutes=1)


def test_clock_is_monotonic() -> None:
    clock = SystemClock()
    ticks = [clock.monotonic() for _ in range(100)]
    assert ticks == sorted(ticks)


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="CLOCK_BOOTTIME exists only on Linux")
def test_clock_counts_time_while_the_environment_is_frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    frozen = {time.CLOCK_BOOTTIME: 1_000.0, time.CLOCK_MONOTONIC: 1.0}
    monkeypatch.setattr(time, "clock_gettime", frozen.__getitem__)
    assert SystemClock().monotonic() == 1_000.0
