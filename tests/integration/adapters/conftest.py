"""The template's tables for each module, in an AWS that does one thing at a time, as DynamoDB does with one item."""

import itertools
from collections.abc import Callable, Iterator

import pytest

from tests.integration.app import App, deployed_app
from tests.integration.aws_calls import one_at_a_time

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def cloud() -> Iterator[App]:
    """A deployed app; tests of one module share it, and keep apart by fresh names."""
    with one_at_a_time(), deployed_app() as opened:
        yield opened


@pytest.fixture(scope="module")
def fresh() -> Callable[[str], str]:
    """Names that nobody had before."""
    return lambda prefix: f"{prefix}_{next(_NUMBERS):06d}"
