"""`python -m tests.local` as a process: a line of JSON, valid keys, a demo, and no process left at the end."""

import itertools
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.issuer import FakeIssuer
from tests.local.toy.calling import call
from tests.timeouts import HANG_SECONDS

ROOT = Path(__file__).resolve().parents[3]

CLOUD_AND_FUNCTION = """
from tests.local.aws.cloud import Cloud
from tests.local.functions.pool import Functions
from tests.local.plan import FunctionPlan
from tests.local.toy.calling import CODE

cloud = Cloud()
plan = FunctionPlan("Act", "functions.act.handler", 20, 128, {}, (), {}, ())
functions = Functions({"Act": plan}, CODE, "http://127.0.0.1:1", 1, log=2, grace=600)
print(functions.invoke("Act", b'{"do": "pid"}').failed, cloud.matching([], {}), flush=True)
functions.invoke("Act", b'{"do": "wait", "port": 1}') and input()
"""


type Program = subprocess.Popen[str]


def start(*arguments: str) -> Program:
    """Start a Python process; all its descendants inherit the pipe of its stderr."""
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("OPENROUTER_")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def issuer() -> Iterator[FakeIssuer]:
    """The issuer of the access tokens that the stack accepts."""
    with FakeIssuer() as running:
        yield running


@pytest.fixture(scope="module")
def programs(issuer: FakeIssuer) -> Iterator[tuple[Program, Program]]:
    """The whole stack and a part of it, started concurrently because starting takes seconds."""
    tokens = (f"--parameter=JwtIssuer={issuer.url}", f"--parameter=JwtAudience={issuer.audience}")
    stack = start("-m", "tests.local", "--port", "0", "--json", "--demo", f"--grace={HANG_SECONDS}", *tokens)
    both = stack, start("-c", CLOUD_AND_FUNCTION)
    yield both
    for process in both:
        process.kill()
        process.communicate()


def first_line(process: Program) -> str:
    assert process.stdout
    return process.stdout.readline()


def ends(process: Program, number: signal.Signals) -> tuple[int, str]:
    """Signal the process; when no descendant holds its pipes, return the exit code and the remaining output."""
    process.send_signal(number)
    rest, _ = process.communicate(timeout=HANG_SECONDS)
    return process.returncode, rest


def test_local_command_shows_the_demo_and_serves_until_stopped(
    programs: tuple[Program, Program], issuer: FakeIssuer
) -> None:
    stack, _ = programs
    facts = json.loads(first_line(stack))
    assert facts["url"].endswith("/local")
    assert facts["openrouter_url"].startswith("http://127.0.0.1:")
    assert set(facts["keys"]) == {"alice", "bob", "admin"}
    assert stack.stderr
    printed = "".join(itertools.takewhile(lambda line: "Go on from here" not in line, stack.stderr))
    assert "1 call, 1 success, 0 failures" in printed
    statuses = [
        call(facts["url"], "GET", "/api/resources", Authorization=f"Bearer {key}").status
        for key in [*facts["keys"].values(), issuer.token(), issuer.token(aud="another"), "nonsense"]
    ]
    assert statuses == [200, 200, 200, 200, 401, 401]
    assert ends(stack, signal.SIGTERM) == (0, "")


def test_killed_stack_does_not_leave_processes(programs: tuple[Program, Program]) -> None:
    _, part = programs
    assert first_line(part) == "False []\n"
    assert ends(part, signal.SIGKILL) == (-signal.SIGKILL, "")
