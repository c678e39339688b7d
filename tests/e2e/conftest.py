"""Fixtures of the end-to-end tests: one stack on the built artifacts, and one run of the user journey."""

import os
from collections.abc import Iterator

import pytest

from tests.e2e.journey import Journey, run_journey
from tests.e2e.world import World, open_world
from tests.local.functions.layout import Built
from tests.local.stack import ROOT


@pytest.fixture(scope="session")
def built() -> Built:
    """The build in the folder ARTIFACTS, for the architecture of this machine."""
    return Built(ROOT / os.environ.get("ARTIFACTS", ".aws-sam/arm64"))


@pytest.fixture(scope="session")
def world(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A running stack with the built functions."""
    with open_world(built, tmp_path_factory.mktemp("world") / "log") as opened:
        yield opened


@pytest.fixture(scope="session")
def journey(world: World) -> Journey:
    """The responses of the user journey on that stack."""
    return run_journey(world)
