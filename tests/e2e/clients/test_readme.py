"""The commands in README.md work as they are written there, in their order."""

import json
import os
import re
import shutil
import subprocess
from typing import Any

import pytest

from tests.e2e.clients.conftest import Service
from tests.e2e.clients.programs import PYTHON
from tests.local.stack import ROOT

pytestmark = pytest.mark.e2e

BLOCK = re.compile(r"^```console\n\$ (.*?)^```", re.MULTILINE | re.DOTALL)
OUTPUT = re.compile(r"^\{", re.MULTILINE)
"""The output of a command begins with a line like this."""


def commands() -> list[str]:
    """The commands of the examples, without their output."""
    return [OUTPUT.split(text, maxsplit=1)[0] for text in BLOCK.findall((ROOT / "README.md").read_text())]


def output_of(command: str, variables: dict[str, str]) -> str:
    """The output of a command in a shell whose `python3` has the clients."""
    path = f"{PYTHON.parent}:{os.environ['PATH']}"
    shell = ["bash", "-c", command]
    done = subprocess.run(shell, env={"PATH": path, **variables}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(not shutil.which("curl"), reason="the commands use curl")
def test_examples_work_as_they_are_written(service: Service) -> None:
    create, execute, call = commands()
    variables = {"API": service.world.stack.url, "ALICE": service.world.keys["alice"]}
    created: Any = json.loads(output_of(create, variables))
    variables["RESOURCE"] = created["resource_id"]
    executed: Any = json.loads(output_of(execute, variables))
    assert executed["success"]
    assert created["address"] in call
    assert output_of(call, variables).strip() == executed["output"]["content"]
    assert {execution["resource_id"] for execution in service.executions()[:2]} == {created["resource_id"]}
