"""No file of the repository contains a package registry or a path on a developer machine."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.architecture.project import ROOT, relative

REGISTRY = re.compile(r"pyp[i]\.(org|python\.org)|pythonhoste[d]|npmj[s]\.|mave[n]\.org|/simpl[e]/", re.IGNORECASE)
"""One letter of each name is in brackets, so that this file does not match."""

MACHINE_PATH = re.compile(r"(?<![\w.~$}/-])/(home|Users|root|work)/\w")


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    """Every text file that is tracked, or untracked and not ignored, by path."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git clone, so the files of the repository are unknown")
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    paths = [ROOT / name for name in listing.split("\0") if name]
    return {relative(path): text for path in paths if path.is_file() and (text := read_text(path))}


def test_files_do_not_name_a_package_registry(texts: dict[str, str]) -> None:
    assert found(REGISTRY, texts) == []


def test_files_do_not_name_a_machine_path(texts: dict[str, str]) -> None:
    assert found(MACHINE_PATH, texts) == []
    if len(ROOT.parts) > 2:  # a top-level folder such as /app can occur in other contexts
        assert [name for name, text in texts.items() if str(ROOT) in text] == []


def found(pattern: re.Pattern[str], texts: dict[str, str]) -> list[str]:
    """The matches of the pattern, as `file:line text`."""
    return [
        f"{name}:{number} {line.strip()[:100]}"
        for name, text in texts.items()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def read_text(path: Path) -> str:
    """The text of a file; empty for a binary file."""
    try:
        return path.read_text()
    except UnicodeDecodeError:
        return ""
