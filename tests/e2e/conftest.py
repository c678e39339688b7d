"""Fixtures of the end-to-end tests: one stack on what was built, and the main job, done once."""

import os
from collections.abc import Iterator

import pytest

from tests.e2e.journey import Journey, travel
from tests.e2e.world import World, open_world
from tests.local.functions.layout import Built
from tests.local.stack import ROOT


@pytest.fixture(scope="session")
def built() -> Built:
    """What ARTIFACTS names, a build for this machine."""
    return Built(ROOT / os.environ.get("ARTIFACTS", ".aws-sam/arm64"))


@pytest.fixture(scope="session")
def world(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The built functions at work."""
    with open_world(built, tmp_path_factory.mktemp("world") / "log") as opened:
        yield opened


@pytest.fixture(scope="session")
def journey(world: World) -> Journey:
    """The main job, done in that world."""
    return travel(world)
