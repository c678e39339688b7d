"""`make deploy` with the documented arguments on the built artifacts: everything is in order up to the network."""

import os
import socket
import subprocess
from pathlib import Path

import pytest

from tests.local.stack import ROOT

pytestmark = pytest.mark.e2e

ARCHITECTURE = Path(os.environ.get("ARTIFACTS", ".aws-sam/arm64")).name
DOCUMENTED = [
    [],
    ["STAGE=prod", 'PARAMS=AlarmEmail=ops@example.com CatalogSchedule="cron(0 3/6 * * ? *)"'],
    ["STAGE=prod", "REGION=eu-central-1", "PARAMS=TableProtection=off"],
]


@pytest.mark.parametrize("variables", DOCUMENTED, ids=" ".join)
def test_deploy_fails_only_for_want_of_a_connection(variables: list[str]) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound and not listening: no other process can take the port
        endpoint = f"http://127.0.0.1:{closed.getsockname()[1]}"
        keys = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_MAX_ATTEMPTS": "1"}
        deployed = subprocess.run(
            ["make", "-o", "build", "deploy", f"ARCH={ARCHITECTURE}", *variables],
            cwd=ROOT,
            env={**os.environ, **keys, "AWS_ENDPOINT_URL": endpoint},
            capture_output=True,
            text=True,
            check=False,
        )
    assert f'Could not connect to the endpoint URL: "{endpoint}/"' in deployed.stderr
    assert "Usage:" not in deployed.stderr
