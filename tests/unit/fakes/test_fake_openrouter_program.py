"""FakeOpenRouter runs as a standalone program."""

import signal
import subprocess
import sys
from pathlib import Path

import httpx

from tests.timeouts import HANG_SECONDS

ROOT = Path(__file__).parents[3]


def test_program_prints_its_url_and_stops_on_a_signal() -> None:
    command = [sys.executable, "-m", "tests.fakes.openrouter", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        url = program.stdout.readline().strip()
        try:
            assert httpx.get(f"{url}/models", timeout=HANG_SECONDS, verify=False).json()["total_count"] > 50
        finally:
            program.send_signal(signal.SIGTERM)
        assert program.wait(HANG_SECONDS) == 0
        assert program.stderr is not None
        assert program.stderr.read() == ""
