"""Imports a function like Lambda: in a new process, with only the environment of the template."""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.architecture.project import ROOT, Function, Json, template
from tests.timeouts import HANG_SECONDS

LAMBDA_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_LAMBDA_FUNCTION_NAME": "testing",
    "AWS_REGION": "us-east-1",
    "AWS_SECRET_ACCESS_KEY": "testing",
}


@dataclass(frozen=True)
class Loaded:
    """The effects of importing a function's app.py."""

    modules: frozenset[str]
    clients: frozenset[str]
    logged: frozenset[str]
    routes: frozenset[tuple[str, str]]


@cache
def load(function: Function) -> Loaded:
    """Import one function from the source tree; cached for the test run."""
    return load_from(function, [sys.executable], ROOT, ROOT / "layers/core")


def load_from(function: Function, python: Sequence[str], *places: Path) -> Loaded:
    """Import one function with this interpreter and its options, with `places` as import path."""
    done = subprocess.run(
        [*python, "-P", Path(__file__).with_name("import_one.py"), f"functions.{function.name}.app"],
        env={**environment(function), "PYTHONPATH": ":".join(map(str, places))},
        capture_output=True,
        text=True,
        timeout=HANG_SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"functions/{function.name}/app.py cannot be imported:\n{done.stderr}"
    answer = json.loads(done.stdout)
    routes = frozenset((method, path) for method, path in answer["routes"])
    return Loaded(frozenset(answer["modules"]), frozenset(answer["clients"]), frozenset(answer["logged"]), routes)


def environment(function: Function) -> dict[str, str]:
    """The environment variables of Lambda and of the template."""
    return LAMBDA_ENVIRONMENT | {name: _resolved(value) for name, value in function.environment.items()}


def _resolved(value: Json) -> str:
    """A literal or a parameter's default; a placeholder for resource names, which are known only after deployment."""
    parameters = template()["Parameters"]
    if isinstance(value, dict):
        return str(parameters.get(value.get("Ref"), {}).get("Default", "placeholder"))
    return str(value)
