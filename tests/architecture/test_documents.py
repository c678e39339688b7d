"""README.md and docs/ agree with the code: generated parts, files, links, commands and diagrams."""

import re
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest

from instant.domain.executions.execution import State
from tests.architecture.documents import CONTRIBUTING, PARTS, README, with_parts
from tests.architecture.project import ROOT, relative

MAX_README_WORDS = 1_200
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
CURRENT = [path for path in DOCUMENTS if path.name not in ("CHANGELOG.md", "DECISIONS.md")]
"""The documents that describe the current state; the other two can name removed files."""


def each(documents: list[Path]) -> pytest.MarkDecorator:
    """Run a test for each document."""
    return pytest.mark.parametrize("path", documents, ids=relative)


@each(list(PARTS))
def test_generated_tables_are_current(path: Path) -> None:
    text = path.read_text()
    command = "PYTHONPATH=layers/core .venv/bin/python -m tests.architecture.documents"
    assert with_parts(text, PARTS[path]) == text, f"run: {command}"


def test_readme_is_short() -> None:
    assert len(README.read_text().split()) <= MAX_README_WORDS


def test_readme_links_every_other_document() -> None:
    linked = {(ROOT / target).resolve() for target in links(README)}
    assert [relative(path) for path in DOCUMENTS if path not in {README, *linked}] == []


@each(CURRENT)
def test_documents_name_only_existing_files(path: Path) -> None:
    named = re.findall(r"`((?:functions|layers|events|tests|docs)/[\w./-]+)`", path.read_text())
    assert [name for name in named if not (ROOT / name).exists()] == []


@each(DOCUMENTS)
def test_documents_relative_links_resolve(path: Path) -> None:
    assert [target for target in links(path) if not resolves(path, target)] == []


@each(CURRENT)
def test_documents_name_only_existing_make_targets(path: Path) -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:^    |`)make ([a-z0-9-]+)", path.read_text(), re.MULTILINE))
    assert named - targets == set()


@each(CURRENT)
def test_documents_name_only_runnable_modules(path: Path) -> None:
    named = set(re.findall(r"python -m (tests[\w.]*)", path.read_text()))
    assert [name for name in sorted(named) if not runs(name)] == []


def test_state_diagram_matches_the_code() -> None:
    arrows = re.findall(r"^ +(\S+) --> (\S+?)(?::|$)", diagram(CONTRIBUTING, "stateDiagram-v2"), re.MULTILINE)
    assert {state for arrow in arrows for state in arrow} == {*State, "[*]"}


@each([README, CONTRIBUTING])
def test_layer_diagram_matches_the_import_contract(path: Path) -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = {name for line in contracts[0]["layers"] for name in line.split(" | ")}
    drawn = re.findall(r"\b(\w+)\[", diagram(path, "flowchart"))
    assert sorted(drawn) == sorted({"functions", *layers})


def links(path: Path) -> list[str]:
    """The targets of a document's links, except absolute URLs."""
    return [target for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text()) if ":" not in target]


def resolves(path: Path, target: str) -> bool:
    """Whether a link points to an existing file and, if it has an anchor, to a heading in it."""
    name, _, anchor = target.partition("#")
    found = path.parent / name if name else path
    return found.exists() and (not anchor or anchor in anchors(found.read_text()))


def anchors(text: str) -> set[str]:
    """The Markdown anchors of a document's headings."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def runs(module: str) -> bool:
    """Whether `python -m module` can be run."""
    spec = find_spec(module)
    if spec and spec.submodule_search_locations:
        spec = find_spec(f"{module}.__main__")
    return spec is not None


def diagram(path: Path, kind: str) -> str:
    """The text of a document's Mermaid diagram of this kind."""
    [text] = re.findall(rf"```mermaid\n{kind}.*?\n(.*?)```", path.read_text(), re.DOTALL)
    return str(text)
