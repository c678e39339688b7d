"""Fixtures of the integration tests: a house, and a house that has everything in it."""

from collections.abc import Iterator

import pytest

from tests.integration.house import House, open_house


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
