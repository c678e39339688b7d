"""The setup of every measurement: a stack with the built functions, a resource, and the event that executes it."""

import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.e2e.world import World, open_world
from tests.local.functions.layout import Built
from tests.local.stack import ROOT

EXECUTE = "ExecuteFunction"
HIGH_LIMITS = {"RatePerMinute": "10000", "ExecutePerMinute": "5000"}
"""Rate limits that no measurement reaches."""

PROMPT = "Say in one sentence why a model behind a plain HTTP call is useful."


@dataclass(frozen=True)
class Row:
    """One row of the report."""

    what: str
    measured: str
    aim: str = ""


@dataclass(frozen=True)
class Setup:
    """A stack with one resource of alice, the event that executes it, and a temporary folder."""

    world: World
    resource: Any
    event: bytes
    folder: Path


def build() -> Built:
    """The build in the folder ARTIFACTS, or the build for this machine."""
    machine = "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"
    return Built(ROOT / os.environ.get("ARTIFACTS", f".aws-sam/{machine}"))


@contextmanager
def open_setup() -> Iterator[Setup]:
    """Start a new stack; stop it and delete the folder afterwards."""
    with TemporaryDirectory() as name, open_world(build(), Path(name) / "log", parameters=HIGH_LIMITS) as world:
        world.sync()
        world.connect("alice")
        resource = world.resource("alice")
        yield Setup(world, resource, _event(resource["resource_id"]), Path(name))


def _event(resource_id: str) -> bytes:
    event = json.loads((ROOT / "events/execute/execute.json").read_text())
    event["body"] = json.dumps({"resource_id": resource_id, "inputs": {"prompt": PROMPT}})
    return json.dumps(event).encode()
