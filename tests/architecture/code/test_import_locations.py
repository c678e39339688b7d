"""Vendor packages, the environment, and queries of DynamoDB are used only in the modules that are made for them."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.project import CORE, FUNCTIONS, python_files, relative

ALLOWED_IN = {
    "PIL": (CORE / "adapters",),
    "aws_lambda_powertools": (CORE / "entrypoints", FUNCTIONS),
    "awslambdaric": (CORE / "entrypoints",),
    "boto3": (),
    "botocore": (CORE / "adapters",),
    "httpcore": (CORE / "adapters",),
    "httpx": (CORE / "adapters",),
    "jwt": (CORE / "adapters",),
    "moto": (),
    "pynamodb": (CORE / "adapters",),
    "requests": (),
    "tests": (),
    "urllib3": (CORE / "adapters",),
}
ENVIRONMENT_NAMES = {"environ", "environb", "getenv", "getenvb", "putenv"}


def test_vendor_packages_are_imported_only_in_allowed_modules() -> None:
    misplaced = [
        f"{relative(path)}: {package}"
        for path in python_files(CORE, FUNCTIONS)
        for package in imported_packages(path) & ALLOWED_IN.keys()
        if not any(path.is_relative_to(folder) for folder in ALLOWED_IN[package])
    ]
    assert misplaced == []


def test_environment_is_read_only_by_settings() -> None:
    readers = {relative(path) for path in python_files(CORE, FUNCTIONS) if reads_environment(path)}
    assert readers <= {"layers/core/instant/settings.py"}


def test_queries_and_scans_read_every_page() -> None:
    """A single reply ends after 1 MB: only `first_items`, botocore's paginators and pynamodb read on."""
    callers = {relative(path) for path in python_files(CORE, FUNCTIONS) if reads_one_page(path)}
    assert callers == {"layers/core/instant/adapters/aws/pages.py"}


def imported_packages(path: Path) -> set[str]:
    """The top-level packages that a file imports, at module level or inside functions."""
    return {name.partition(".")[0] for name in imported_names(path)}


def imported_names(path: Path) -> Iterator[str]:
    """The full names of the modules that a file imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def reads_environment(path: Path) -> bool:
    """Whether a file uses os.environ, os.getenv or similar, under any name."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    imported = {alias.name for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names}
    return bool((attributes | imported) & ENVIRONMENT_NAMES)


def reads_one_page(path: Path) -> bool:
    """Whether a file calls `client(…).query` or `client(…).scan` itself."""
    return any(
        isinstance(node, ast.Attribute)
        and node.attr in {"query", "scan"}
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Name)
        and node.value.func.id == "client"
        for node in ast.walk(ast.parse(path.read_text()))
    )
