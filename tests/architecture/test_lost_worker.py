"""A test worker that exits or hangs fails the run, with the options of `make test`."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.project import ROOT
from tests.timeouts import HANG_SECONDS

LOST_WORKERS = {
    "in a test, which hangs": """
import threading

def test_first(): threading.Event().wait()
def test_second(): pass
""",
    "after its last test": """
import os

class Exit:
    def pytest_sessionfinish(self): os._exit(1)

def test_first(request): request.config.pluginmanager.register(Exit())
""",
}


def options() -> list[str]:
    """The pytest arguments of `make test`, with two workers."""
    found = re.search(r"^test: .*\n\t@\$\(PY\) -m pytest (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert found
    assert "-n auto" in found[1]
    return found[1].replace("-n auto", "-n 2").split()


@pytest.mark.parametrize("case", LOST_WORKERS)
def test_lost_worker_fails_the_run(tmp_path: Path, case: str) -> None:
    (tmp_path / "conftest.py").write_text((ROOT / "tests/conftest.py").read_text())
    (tmp_path / "test_lost.py").write_text(LOST_WORKERS[case])
    for number in range(4):
        (tmp_path / f"test_{number}.py").write_text("def test_nothing(): pass\n")
    place = ["-c", str(ROOT / "pyproject.toml"), "--rootdir", str(tmp_path), str(tmp_path)]
    plugins = ["-p", "xdist", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *place, *plugins, *options(), "-o", "faulthandler_timeout=2"],
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=HANG_SECONDS,
        check=False,
    )
    assert "Not properly terminated" in done.stdout, done.stdout + done.stderr
    assert done.returncode in {pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERNAL_ERROR}
