"""`make smoke` passes on the local stack, names the step that fails, and leaves nothing behind."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.fakes.openrouter import FakeOpenRouter
from tests.integration.app import GOOD_KEY
from tests.local.stack import ROOT, Stack
from tests.timeouts import HANG_SECONDS


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with FakeOpenRouter() as fake, Stack(upstream_url=fake.url) as running:
        yield running


def smoke(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the checks in a process of their own."""
    kept = {name: value for name, value in os.environ.items() if name != "OPENROUTER_API_KEY"}
    return subprocess.run(
        [sys.executable, "-m", "tests.smoke", *arguments],
        cwd=ROOT,
        env={**kept, "PYTHONPATH": "layers/core", **environment},
        capture_output=True,
        text=True,
        timeout=10 * HANG_SECONDS,
        check=False,
    )


def left(stack: Stack) -> list[dict[str, Any]]:
    """The live resources, the counters that are not 0, and the stored keys of all users."""
    tables = [stack.environment("ExecuteFunction")[name] for name in ("RESOURCES_TABLE", "INTEGRATIONS_TABLE")]
    rows = [row for table in tables for row in stack.client("dynamodb").scan(TableName=table)["Items"]]
    return [row for row in rows if "deleted_at" not in row and row.get("live") != {"N": "0"}]


def test_smoke_passes_eight_steps_and_leaves_nothing(stack: Stack) -> None:
    passed = smoke("local", OPENROUTER_API_KEY=GOOD_KEY, **stack.admin)
    assert passed.returncode == 0, passed.stdout + passed.stderr
    assert re.findall(r"^(\d)\. ", passed.stdout, re.MULTILINE) == [*"12345678"]
    assert left(stack) == []
    assert GOOD_KEY not in passed.stdout + passed.stderr


def test_smoke_names_the_first_step_that_fails(stack: Stack) -> None:
    failed = smoke("local", OPENROUTER_API_KEY="no key", **stack.admin)
    assert failed.returncode == 1
    assert re.search(
        r"^3\. key for OpenRouter: FAILED: POST /local/api/user/\S+ answered 422", failed.stdout, re.MULTILINE
    )
    assert left(stack) == []


def test_smoke_requires_a_key_and_a_stack(stack: Stack) -> None:
    missing = smoke("local", **stack.admin)
    assert (missing.returncode, "Set OPENROUTER_API_KEY" in missing.stderr) == (2, True)
    unknown = smoke("nowhere", OPENROUTER_API_KEY=GOOD_KEY, **stack.admin)
    assert (unknown.returncode, "There is no stack nowhere" in unknown.stderr) == (2, True)
