"""Starts the official clients in processes and environments of their own."""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.local.stack import ROOT
from tests.timeouts import HANG_SECONDS

SCRIPTS = Path(__file__).parent / "scripts"
PYTHON = ROOT / ".venv-clients/bin/python"
NODE_FOLDER = ROOT / ".npm-clients"
NODE_PACKAGE = "openai@7.59.0"
NODE_INTEGRITY = "sha512-wPYKJkLPFEdNJ2tThSg4jE1Ptsv4X3u8g8LIvu0Qz/UIhsKeCzl73rl48PtQsDVrJL/ku0liXOsbyd2TsRsPJw=="
NODE_VERSION = 20
"""The oldest major version of Node on which these tests have run."""

Calls = dict[str, tuple[str, dict[str, Any]]]
"""The calls that a client makes, in order: a name for each, the function of its script, and its arguments."""


@dataclass(frozen=True)
class Client:
    """The command that runs calls with one client."""

    command: tuple[str, ...]

    def run(self, settings: dict[str, Any], calls: Calls) -> Any:
        """Make the calls in one process; return what each returned or raised, by name."""
        asked = json.dumps({"client": settings, "calls": calls})
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "OPENROUTER_"))}
        done = subprocess.run(
            self.command, input=asked, env=kept, capture_output=True, text=True, check=False, timeout=HANG_SECONDS
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


def python_client(script: str) -> Client:
    """A script in the environment of the Python clients."""
    assert PYTHON.exists(), f"{PYTHON} is missing: run `make e2e`"
    return Client((str(PYTHON), "-I", str(SCRIPTS / script)))


@cache
def node_client() -> Client:
    """The script for Node with the package in `.npm-clients`; skips the test without Node, npm or the package."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        pytest.skip("the openai package for Node is not tested: node or npm is missing")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.removeprefix("v").split(".")[0]) < NODE_VERSION:
        pytest.skip(f"the openai package for Node is not tested: Node {version} is too old")
    if _integrity() != NODE_INTEGRITY:
        _install(npm)
    assert _integrity() == NODE_INTEGRITY, f"{NODE_PACKAGE} is not the package that was pinned"
    return Client((node, str(SCRIPTS / "openai_node.mjs"), str(NODE_FOLDER)))


def _install(npm: str) -> None:
    NODE_FOLDER.mkdir(exist_ok=True)
    options = ["--no-package-lock", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
    command = [npm, "install", "--prefix", str(NODE_FOLDER), *options, NODE_PACKAGE]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"the openai package for Node is not tested: npm could not install it: {done.stderr[-300:]}")


def _integrity() -> str | None:
    """The hash of the installed package, as npm has recorded it."""
    try:
        installed = json.loads((NODE_FOLDER / "node_modules/.package-lock.json").read_bytes())
    except OSError:
        return None
    found: str = installed["packages"]["node_modules/openai"]["integrity"]
    return found
