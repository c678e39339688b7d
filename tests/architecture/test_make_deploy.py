"""`make deploy` passes the documented arguments on to SAM as they were given."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.architecture.project import ROOT

SHOW = "import json, sys; print(json.dumps(sys.argv[1:]))"
CRON = "cron(0 3/6 * * ? *)"


def make_deploy(*variables: str) -> subprocess.CompletedProcess[str]:
    """Run `make deploy` without a build, and with a program instead of SAM that prints its arguments as JSON."""
    given = {name: value for name, value in os.environ.items() if name not in ("STAGE", "STACK", "REGION", "MAKEFLAGS")}
    command = ["make", "-s", "-o", "build", "deploy", f"SAM={sys.executable} -c '{SHOW}'", *variables]
    return subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True, check=False)


def options(*variables: str) -> dict[str, str]:
    """The options that SAM receives."""
    shown = make_deploy(*variables)
    assert shown.returncode == 0, shown.stderr
    command, *pairs = json.loads(shown.stdout)
    assert command == "deploy"
    return dict(zip(pairs[::2], pairs[1::2], strict=True))


@pytest.mark.parametrize(
    ("variables", "section", "stack"),
    [
        ([], "default", "instant-resources-dev"),
        (["STAGE=prod"], "prod", "instant-resources-prod"),
        (["STAGE=test"], "default", "instant-resources-test"),
        (["STAGE=prod", "STACK=acme"], "prod", "acme"),
    ],
)
def test_deploy_reads_the_configuration_of_the_stage(variables: list[str], section: str, stack: str) -> None:
    found = options(*variables)
    assert Path(found["--config-file"]) == ROOT / "samconfig.toml"
    configured = tomllib.loads((ROOT / "samconfig.toml").read_text())
    assert (found["--config-env"], found["--stack-name"]) == (section, stack)
    assert found["--region"] == configured[section]["deploy"]["parameters"]["region"]


def test_deploy_passes_region_and_parameters_on() -> None:
    found = options(
        "REGION=eu-central-1", "ARCH=x86_64", f"PARAMS=RetentionDays=30 CatalogSchedule=\"{CRON}\" Any='a b'"
    )
    assert found["--region"] == "eu-central-1"
    overrides = "Stage=dev Architecture=x86_64 RetentionDays=30"
    assert found["--parameter-overrides"] == f"{overrides} CatalogSchedule=\"{CRON}\" Any='a b'"


def test_deploy_keeps_dollar_signs_of_parameters() -> None:
    assert options("PARAMS=A=https://b.example/$c")["--parameter-overrides"].endswith(" A=https://b.example/$c")


@pytest.mark.parametrize("wrong", [f"CatalogSchedule={CRON}", "AlarmEmail=", "RetentionDays 30"])
def test_deploy_rejects_parameters_that_sam_would_read_in_part(wrong: str) -> None:
    refused = make_deploy(f"PARAMS=RetentionDays=30 {wrong}")
    assert refused.returncode != 0
    assert "in quotes" in refused.stderr
    assert refused.stdout == ""
