"""Import contracts, and the modules and clients that functions must not load at start."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.probe import load
from tests.architecture.project import ROOT, Function, functions
from tests.timeouts import HANG_SECONDS

NEVER = {"PIL", "aws_xray_sdk", "boto3", "moto", "openai", "pytest", "s3transfer", "x402", "yaml"}
"""Modules that are not deployed, or that are slow to load and rarely needed."""

LAZY_CLIENTS = {"events", "kms", "s3"}
"""AWS clients that are created at first use, because each takes 50 ms and only some requests need them."""

NO_EXTERNAL_CALLS = {
    "api_keys",
    "budgets",
    "catalog",
    "executions",
    "images",
    "preview",
    "rank_resources",
    "resources",
    "usage",
}
"""Functions that call only AWS and need no HTTP client."""


def test_import_contracts_hold() -> None:
    done = subprocess.run(
        [sys.executable, Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "layers/core")},
        capture_output=True,
        text=True,
        timeout=HANG_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_function_start_does_not_load_heavy_modules(function: Function) -> None:
    assert load(function).modules & NEVER == set()


def test_function_start_does_not_create_optional_clients(function: Function) -> None:
    assert load(function).clients & LAZY_CLIENTS == set()


def test_function_start_does_not_log(function: Function) -> None:
    assert load(function).logged == set()


@pytest.mark.parametrize("name", sorted(NO_EXTERNAL_CALLS))
def test_function_without_external_calls_does_not_import_http_client(name: str) -> None:
    assert load(named(name)).modules & {"httpx", "httpcore"} == set()


def test_authorizer_start_does_not_load_access_token_modules() -> None:
    """Every request calls the authorizer, so these modules are loaded with the first access token."""
    later = {"cryptography", "httpcore", "httpx", "jwt"}
    assert load(named("authorizer")).modules & {"aws_lambda_powertools", "asyncio", *later} == set()


def named(name: str) -> Function:
    """The function of this name."""
    return next(function for function in functions() if function.name == name)
