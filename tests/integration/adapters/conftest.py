"""The template's tables for each module, in a simulated AWS that serializes requests as DynamoDB does for one item."""

import itertools
from collections.abc import Callable, Iterator

import pytest

from tests.integration.app import App
from tests.integration.aws_calls import one_at_a_time
from tests.integration.lent_app import lend_app

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def cloud() -> Iterator[App]:
    """A deployed app shared by the tests of a module, one after the other."""
    with one_at_a_time(), lend_app() as opened:
        yield opened


@pytest.fixture(autouse=True)
def _emptied(request: pytest.FixtureRequest) -> None:
    """Each test starts with empty tables: moto copies a whole table for each transaction."""
    if "cloud" in request.fixturenames:
        request.getfixturevalue("cloud").empty()


@pytest.fixture(scope="module")
def fresh() -> Callable[[str], str]:
    """Generate unique names."""
    return lambda prefix: f"{prefix}_{next(_NUMBERS):06d}"
