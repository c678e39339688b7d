"""`python -m tests.mutation [module …]` changes the target modules in every small way and prints how many were noticed.

It works on a copy, laid out as mutmut wants it: packages at the top, where this repository has layers.
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


def lay_out(folder: Path) -> None:
    """Copy what the tests of the targets need, with the settings of mutmut beside it."""
    rubbish = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "layers/core/instant", folder / "instant", ignore=rubbish)
    for name in ("functions", "tests", "events"):
        shutil.copytree(ROOT / name, folder / name, ignore=rubbish)
    shutil.copy(ROOT / "template.yaml", folder)
    (folder / "pyproject.toml").write_text(CONFIG.format(modules=sys.argv[1:] or list(MODULES), tests=list(TESTS)))


def mutmut(folder: Path, *arguments: str) -> str:
    """What its command line prints."""
    return subprocess.run([*MUTMUT, *arguments], cwd=folder, stdout=subprocess.PIPE, text=True, check=True).stdout


def mutants(folder: Path) -> list[Mutant]:
    """Every mutant with how it ended; survivors that only change words for people are left out."""
    found = []
    for name, end in _RESULT.findall(mutmut(folder, "results", "--all", "true")):
        change = "" if end == "killed" else mutmut(folder, "show", name)
        if not is_wording(change):
            found.append(Mutant(name, end, change))
    return found


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        lay_out(Path(scratch))
        subprocess.run([*MUTMUT, "run"], cwd=scratch, check=True)
        sys.exit(report(mutants(Path(scratch))))
