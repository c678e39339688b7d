"""The template's tables for each module, in a simulated AWS that serializes requests like DynamoDB."""

import itertools
from collections.abc import Callable, Iterator

import pytest

from tests.integration.app import App
from tests.integration.aws_calls import one_at_a_time
from tests.integration.lent_app import lend_app

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def cloud() -> Iterator[App]:
    """A deployed app, shared by the tests of a module."""
    with one_at_a_time(), lend_app() as opened:
        yield opened


@pytest.fixture(autouse=True)
def _emptied(request: pytest.FixtureRequest) -> None:
    """Empty the tables before each test: moto copies a whole table for each transaction."""
    if "cloud" in request.fixturenames:
        request.getfixturevalue("cloud").empty()


@pytest.fixture(scope="module")
def fresh() -> Callable[[str], str]:
    """Return a function that returns unique names."""
    return lambda prefix: f"{prefix}_{next(_NUMBERS):06d}"
