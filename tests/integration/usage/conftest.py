"""Fixtures of the usage tests: a clock of the app's functions."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.fakes.clock import FakeClock
from tests.integration.app import App
from tests.integration.budgets import set_clocks


@pytest.fixture
def clock(seeded: App) -> Iterator[FakeClock]:
    """A clock set to noon on 27 November 2026; it advances only when a test moves it."""
    clock = FakeClock(datetime(2026, 11, 27, 12, 0, tzinfo=UTC))
    with set_clocks(seeded, clock):
        yield clock
