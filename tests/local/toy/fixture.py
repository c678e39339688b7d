"""A pytest plugin that runs the toy application on one local stack for all tests."""

from collections.abc import Iterator

import pytest

from tests.local.stack import Stack
from tests.local.toy.calling import CODE, TEMPLATE


@pytest.fixture(scope="session")
def toy() -> Iterator[Stack]:
    with Stack(template=TEMPLATE, code=CODE, parameters={"Limit": "9"}) as stack:
        yield stack


@pytest.fixture
def things(toy: Stack) -> str:
    """The physical name of the table of the toy application."""
    return toy.environment("CallerFunction")["THINGS_TABLE"]
