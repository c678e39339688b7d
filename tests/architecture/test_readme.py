"""The README says what the code does."""

import re

from tests.architecture.project import ROOT
from tests.architecture.readme import README, with_parts


def test_tables_are_made_from_the_code() -> None:
    text = README.read_text()
    assert with_parts(text) == text, "run: PYTHONPATH=layers/core .venv/bin/python -m tests.architecture.readme"


def test_named_files_exist() -> None:
    named = re.findall(r"`((?:functions|layers|events|tests)/[\w./-]+)`", README.read_text())
    assert named
    assert [path for path in named if not (ROOT / path).exists()] == []
