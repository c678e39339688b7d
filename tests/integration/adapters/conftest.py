"""The template's tables for each module, in an AWS that does one thing at a time, as DynamoDB does with one item."""

import itertools
import threading
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import pytest
from hypothesis import settings
from moto.core.botocore_stubber import BotocoreStubber

from tests.integration.house import House, open_house

settings.register_profile("house", deadline=None)
settings.load_profile("house")

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def cloud() -> Iterator[House]:
    """A deployed house; tests of one module share it, and keep apart by fresh names."""
    lock, process = threading.RLock(), BotocoreStubber.process_request

    def alone(self: BotocoreStubber, request: Any) -> Any:
        with lock:
            return process(self, request)

    with mock.patch.object(BotocoreStubber, "process_request", alone), open_house() as opened:
        yield opened


@pytest.fixture(scope="module")
def fresh() -> Callable[[str], str]:
    """Names that nobody had before."""
    return lambda prefix: f"{prefix}_{next(_NUMBERS):06d}"
