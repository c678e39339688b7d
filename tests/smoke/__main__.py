"""`make smoke`: eight checks of a stack; on a deployed one the executions cost some cents."""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from botocore.exceptions import ClientError

from instant.adapters.aws.deployed_stack import StackUnusable
from tests.smoke.deployed import Deployed
from tests.smoke.steps import BUDGET_USD, CheckFailed, Smoke


def main(arguments: Sequence[str] | None = None) -> int:
    """Run every step; returns 1 at the first that fails, and 2 if the stack or the key is not usable."""
    parser = argparse.ArgumentParser(prog="make smoke", description=__doc__)
    parser.add_argument("stack", nargs="?", help="the stack's name; without one, the local stack is started")
    stack = parser.parse_args(arguments).stack
    if stack is None:
        with _local_stack() as stack:
            return _check(stack)
    return _check(stack)


def _check(stack: str) -> int:
    key = os.environ.get("OPENROUTER_API_KEY")
    if not key:
        sys.stderr.write(f"Set OPENROUTER_API_KEY: this key pays for the executions, at most {BUDGET_USD} USD.\n")
        return 2
    try:
        deployed = Deployed.named(stack)
    except StackUnusable as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    with deployed.user() as user:
        smoke = Smoke(deployed, user, key)
        try:
            return _run(smoke)
        finally:
            smoke.tidy()


def _run(smoke: Smoke) -> int:
    for number, (name, step) in enumerate(smoke.steps(), 1):
        started = time.monotonic()
        try:
            result = step()
        except (CheckFailed, ClientError) as failed:
            print(f"{number}. {name}: FAILED: {failed}", flush=True)
            return 1
        print(f"{number}. {name}: {result} ({time.monotonic() - started:.1f} s)", flush=True)
    return 0


@contextmanager
def _local_stack() -> Iterator[str]:
    """Start the local stack with a fake OpenRouter, and set the environment of its operator."""
    from tests.fakes.openrouter import FakeOpenRouter
    from tests.local.aws.deployment import STACK
    from tests.local.stack import Stack

    with (
        tempfile.TemporaryFile() as log,
        FakeOpenRouter() as fake,
        Stack(upstream_url=fake.url, log=log.fileno()) as stack,
    ):
        os.environ |= {**stack.admin, "OPENROUTER_API_KEY": f"sk-or-v1-{'0' * 64}"}
        yield STACK


if __name__ == "__main__":
    sys.exit(main())
