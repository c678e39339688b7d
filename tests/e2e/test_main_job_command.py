"""`python -m tests.local` with a real key calls the configured OpenRouter, and stops cleanly."""

import json
import os
import signal
import subprocess
import sys
from typing import Any

import pytest

from tests.e2e.processes import PROC, alive, descendants
from tests.fakes.openrouter import FakeOpenRouter
from tests.local.stack import ROOT
from tests.local.toy.calling import call
from tests.timeouts import HANG_SECONDS

pytestmark = pytest.mark.e2e

KEY = "sk-or-v1-" + "c0ffee" * 10


def start(**environment: str) -> subprocess.Popen[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OPENROUTER_")}
    command = [sys.executable, "-m", "tests.local", "--port", "0", "--json"]
    return subprocess.Popen(
        command, cwd=ROOT, env=kept | environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )


def facts_of(process: subprocess.Popen[str]) -> Any:
    assert process.stdout
    return json.loads(process.stdout.readline())


def end(process: subprocess.Popen[str]) -> None:
    """Send SIGTERM; assert that the process exits with 0 and leaves no child process."""
    started = descendants(process.pid)
    process.send_signal(signal.SIGTERM)
    rest, _ = process.communicate(timeout=HANG_SECONDS)
    assert (process.returncode, rest) == (0, "")
    assert [pid for pid in started if alive(pid)] == []


@pytest.mark.skipif(not PROC.exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize("given", [True, False], ids=["an OpenRouter", "no OpenRouter"])
def test_local_command_serves_until_stopped(given: bool) -> None:
    with FakeOpenRouter() as fake:
        environment = {"OPENROUTER_API_KEY": KEY, "OPENROUTER_BASE_URL": fake.url} if given else {}
        process = start(**environment)
        try:
            facts = facts_of(process)
            assert set(facts) == {"url", "openrouter_url", "keys"}
            assert set(facts["keys"]) == {"alice", "bob", "admin"}
            assert (facts["openrouter_url"] == fake.url) is given
            saved = call(
                facts["url"],
                "POST",
                "/api/user/integrations/openrouter",
                {"api_key": KEY},
                Authorization=f"Bearer {facts['keys']['alice']}",
            )
            assert (saved.status, saved.json["hint"]) == (201, KEY[-4:])
            assert [request.headers["authorization"] for request in fake.requests] == [f"Bearer {KEY}"] * given
            end(process)
        finally:
            process.kill()
            process.communicate()
