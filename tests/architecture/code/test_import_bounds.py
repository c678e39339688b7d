"""The maximum number of modules that each function imports at start, because each one slows down a cold start."""

import sys

import pytest

from tests.architecture.probe import load
from tests.architecture.project import Function, functions

BOUNDS: dict[str, tuple[int, int]] = {
    "api_keys": (70, 340),
    "authorizer": (40, 210),
    "budgets": (85, 340),
    "catalog": (160, 340),
    "catalog_sync": (120, 360),
    "execute": (230, 490),
    "executions": (90, 310),
    "images": (75, 340),
    "integration_test": (85, 480),
    "integrations": (90, 480),
    "model_changes": (90, 340),
    "model_endpoints": (90, 340),
    "model_impact": (135, 210),
    "openai": (260, 490),
    "platform_integrations": (90, 480),
    "preflight": (15, 160),
    "preview": (160, 340),
    "rank_resources": (40, 210),
    "reconcile": (95, 360),
    "resources": (185, 340),
    "stream": (230, 490),
    "usage": (105, 340),
}
"""The maximum number of modules by function: of `instant`, and of other packages except the standard library."""


def test_import_bounds_cover_every_function() -> None:
    assert BOUNDS.keys() == {function.name for function in functions()}


def test_function_imports_no_more_than_its_bound(function: Function) -> None:
    own, others = modules_of(function)
    max_own, max_others = BOUNDS[function.name]
    assert len(own) <= max_own, sorted(own)
    assert len(others) <= max_others, sorted(others)


@pytest.mark.parametrize("name", ["api_keys", "budgets", "images"])
def test_function_imports_no_resource_types(name: str) -> None:
    function = next(function for function in functions() if function.name == name)
    assert {module for module in modules_of(function)[0] if "resource_types" in module} == set()


def modules_of(function: Function) -> tuple[set[str], set[str]]:
    """The modules of `instant` and those of other packages that a function imports at start."""
    found = load(function).modules
    own = {name for name in found if name.split(".")[0] == "instant"}
    ours = {"instant", "functions", "__main__", "__mp_main__"}
    others = {name for name in found if name.split(".")[0] not in {*ours, *sys.stdlib_module_names}}
    return own, others
