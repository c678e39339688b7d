"""`make admin-key`: creates the first admin key of a deployed stack and stores only its hash."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from instant.adapters.aws import client as aws
from instant.domain.access.api_key import hash_of, is_well_formed
from instant.entrypoints.access.admin_key import main
from tests.integration.app import ROOT, TEMPLATE, App, deployed_app
from tests.timeouts import HANG_SECONDS

STACK = "instant-resources-test"


@pytest.fixture(scope="module")
def app() -> Iterator[App]:
    """An app whose table of keys is an output of the stack, as in the template."""
    with deployed_app() as opened:
        assert TEMPLATE["Outputs"]["ApiKeysTable"]["Value"] == {"Ref": "ApiKeysTable"}
        _deploy(STACK, ApiKeysTable=opened.name("API_KEYS_TABLE"))
        _deploy("somebody-elses", ApiUrl="https://api.example")
        yield opened


def _deploy(stack: str, **outputs: str) -> None:
    body = {
        "Resources": {"Any": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {name: {"Value": value} for name, value in outputs.items()},
    }
    aws.client("cloudformation").create_stack(StackName=stack, TemplateBody=json.dumps(body))


def _opens(app: App, key: str) -> Any:
    event = json.loads((ROOT / "events/authorizer/request.json").read_text())
    return app.invoke("AuthorizerFunction", {**event, "headers": {"Authorization": f"Bearer {key}"}})["context"]


def test_admin_key_has_every_scope(app: App, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([STACK]) == 0
    printed = capsys.readouterr()
    key = printed.out.removesuffix("\n")
    assert is_well_formed(key)
    caller = _opens(app, key)
    assert caller["scopes"] == "admin execute manage read"
    assert caller["user_id"].startswith("operator_")
    assert key not in printed.err


def test_admin_key_is_stored_as_a_hash(app: App, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([STACK]) == 0
    key = capsys.readouterr().out.strip()
    rows = json.dumps(app.table("API_KEYS_TABLE"), default=list)
    assert hash_of(key) in rows
    assert key not in rows
    assert key.removeprefix("x4k_live_")[:-4] not in rows


def test_admin_key_reuses_the_user_of_a_name(app: App, capsys: pytest.CaptureFixture[str]) -> None:
    users = []
    for arguments in ([STACK, "--user", "ann"], [STACK, "--user", "ann"], [STACK], [STACK]):
        main(arguments)
        users.append(_opens(app, capsys.readouterr().out.strip())["user_id"])
    assert users[:2] == ["operator_ann"] * 2
    assert len(set(users)) == 3


@pytest.mark.parametrize("scopes", ["execute,read,manage", "manage execute"])
def test_admin_key_makes_keys_of_ordinary_users(app: App, capsys: pytest.CaptureFixture[str], scopes: str) -> None:
    assert main([STACK, "--user=ann", f"--scopes={scopes}"]) == 0
    printed = capsys.readouterr()
    assert _opens(app, printed.out.strip())["scopes"] == "execute manage read"
    assert "with the scopes execute, manage, read," in printed.err


@pytest.mark.parametrize("scopes", ["", ",", "root", "execute,everything"])
def test_admin_key_rejects_unknown_scopes(capsys: pytest.CaptureFixture[str], scopes: str) -> None:
    with pytest.raises(SystemExit):
        main([STACK, f"--scopes={scopes}"])
    assert "scopes are execute, read, manage, admin" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("stack", "reason"),
    [
        ("nowhere", "There is no stack nowhere in us-east-1."),
        ("somebody-elses", "The stack somebody-elses (CREATE_COMPLETE) has no output ApiKeysTable."),
    ],
)
def test_admin_key_rejects_a_foreign_stack(
    app: App, capsys: pytest.CaptureFixture[str], stack: str, reason: str
) -> None:
    before = app.table("API_KEYS_TABLE")
    assert main([stack]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(reason)
    assert "make deploy" in printed.err
    assert app.table("API_KEYS_TABLE") == before


@pytest.mark.parametrize("name", ["Ann", "", "ann#1", "1", "-", "a" * 41])
def test_admin_key_rejects_an_ambiguous_name(capsys: pytest.CaptureFixture[str], name: str) -> None:
    with pytest.raises(SystemExit):
        main([STACK, f"--user={name}"])
    assert "a name is 1 to 40 of" in capsys.readouterr().err


def test_admin_key_reports_missing_credentials(tmp_path: Path) -> None:
    alone = {
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT / "layers/core"),
    }
    command = [sys.executable, "-m", "instant.entrypoints.access.admin_key", STACK]
    done = subprocess.run(command, env=alone, capture_output=True, text=True, timeout=HANG_SECONDS, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("No AWS credentials were found.")
