"""Size limits of files and functions, and names that are too general."""

import ast
import re
import statistics
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.project import CORE, FUNCTIONS, ROOT, SOURCE_TREES, python_files, relative

FILE_LINES = 300
MEDIAN_FILE_LINES = 110
FUNCTION_LINES = 50
TOO_GENERAL_MODULE = re.compile(r"(^|_)(utils?|helpers?|common|managers?|misc|shared)(_|$)")
TOO_GENERAL_CLASS = re.compile(r".*(Utils?|Helpers?|Common|Managers?|Misc)$|I[A-Z][a-z].*")


def test_file_length_stays_within_the_limit() -> None:
    sizes = {relative(path): len(path.read_text().splitlines()) for path in python_files(*SOURCE_TREES)}
    assert {name: lines for name, lines in sizes.items() if lines > FILE_LINES} == {}
    assert statistics.median(sizes.values()) <= MEDIAN_FILE_LINES


def test_function_length_stays_within_the_limit() -> None:
    sizes = {
        f"{relative(path)}:{node.lineno} {node.name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for path in python_files(*SOURCE_TREES)
        for node in definitions(path)
        if not isinstance(node, ast.ClassDef)
    }
    assert {name: lines for name, lines in sizes.items() if lines > FUNCTION_LINES} == {}


def test_modules_have_docstrings() -> None:
    modules = {path: ast.parse(path.read_text()) for path in python_files(CORE, FUNCTIONS, ROOT / "tests")}
    assert [relative(path) for path, tree in modules.items() if tree.body and not ast.get_docstring(tree)] == []


def test_file_names_are_not_too_general() -> None:
    files = python_files(CORE, FUNCTIONS, ROOT / "tests")
    names = {part for path in files for part in (*path.relative_to(ROOT).parts[:-1], path.stem)}
    assert {name for name in names if TOO_GENERAL_MODULE.search(name)} == set()


def test_class_and_function_names_are_not_too_general() -> None:
    named = [(path, node) for path in python_files(*SOURCE_TREES) for node in definitions(path)]
    assert [f"{relative(path)}: {node.name}" for path, node in named if has_too_general_name(node)] == []


type Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def definitions(path: Path) -> Iterator[Definition]:
    """Every class and function of a file, nested ones too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def has_too_general_name(node: Definition) -> bool:
    """Whether a name describes a technical role instead of a subject."""
    if isinstance(node, ast.ClassDef):
        return bool(TOO_GENERAL_CLASS.fullmatch(node.name))
    return node.name.endswith("_in_db")
