"""Fixtures of the integration tests: a house, a house that has everything in it, and restless threads."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.fakes.clock import FakeClock
from tests.integration.house import House, open_house, set_clock


@pytest.fixture(scope="module")
def lived_in() -> Iterator[House]:
    """The house of one file's tests."""
    with open_house() as opened:
        yield opened


@pytest.fixture
def house(lived_in: House) -> House:
    """An empty house, whose functions may be warm."""
    lived_in.empty()
    return lived_in


@pytest.fixture
def furnished(house: House) -> House:
    """A house with a synced catalog, and a key connected for alice."""
    house.sync()
    assert house.connect().status == 201
    return house


@pytest.fixture
def restless() -> Iterator[None]:
    """Let threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


@pytest.fixture
def later(house: House) -> Iterator[FakeClock]:
    """The clock of the house's catalog syncs: it stands at today until it is moved."""
    module, clock = house.module("CatalogSyncFunction"), FakeClock(datetime.now(UTC))
    before = module.deps
    set_clock(house, clock)
    yield clock
    module.deps = before
