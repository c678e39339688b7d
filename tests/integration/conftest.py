"""Fixtures of the integration tests: a house, and a house that has everything in it."""

from collections.abc import Iterator

import pytest

from tests.integration.house import House, open_house


@pytest.fixture
def house() -> Iterator[House]:
    """An empty house."""
    with open_house() as opened:
        yield opened


@pytest.fixture
def furnished(house: House) -> House:
    """A house with a synced catalog, and a key connected for alice."""
    house.sync()
    assert house.connect().status == 201
    return house
