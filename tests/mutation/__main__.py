"""`python -m tests.mutation [module …]` runs mutmut on the modules and prints how many mutants were killed.

It works on a copy with the layout that mutmut needs: the packages of the layers in the root folder.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.mutation.score import Mutant, is_wording, report
from tests.mutation.targets import MODULES, TESTS

ROOT = Path(__file__).parents[2]
MUTMUT = (sys.executable, "-m", "mutmut")
CONFIG = """
[tool.pytest.ini_options]
pythonpath = ["."]
addopts = "-q -p no:cacheprovider --import-mode=importlib -m 'not e2e and not fuzz'"
filterwarnings = ["error"]
markers = ["e2e", "fuzz"]

[tool.mutmut]
source_paths = ["instant", "functions"]
only_mutate = {modules}
also_copy = ["template.yaml", "events"]
pytest_add_cli_args_test_selection = {tests}
"""
_RESULT = re.compile(r"^\s*(\S+__mutmut_\d+): (.+)$", re.MULTILINE)


def copy_project(folder: Path) -> None:
    """Copy the files that the tests need, and write the configuration of mutmut."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "layers/core/instant", folder / "instant", ignore=ignored)
    for name in ("functions", "tests", "events"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    shutil.copy(ROOT / "template.yaml", folder)
    (folder / "pyproject.toml").write_text(CONFIG.format(modules=sys.argv[1:] or list(MODULES), tests=list(TESTS)))


def mutmut(folder: Path, *arguments: str) -> str:
    """Run the command line of mutmut; return its output."""
    return subprocess.run([*MUTMUT, *arguments], cwd=folder, stdout=subprocess.PIPE, text=True, check=True).stdout


def mutants(folder: Path) -> list[Mutant]:
    """Every mutant with its status, without survivors that change only text for people."""
    found = []
    for name, status in _RESULT.findall(mutmut(folder, "results", "--all", "true")):
        change = "" if status == "killed" else mutmut(folder, "show", name)
        if not is_wording(change):
            found.append(Mutant(name, status, change))
    return found


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        copy_project(Path(scratch))
        subprocess.run([*MUTMUT, "run"], cwd=scratch, check=True)
        sys.exit(report(mutants(Path(scratch))))
