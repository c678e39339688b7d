"""Runs every test with the argument `function` once for each function of the template."""

import pytest

from tests.architecture.project import functions


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrize tests that have the argument `function`."""
    if "function" in metafunc.fixturenames:
        found = functions()
        metafunc.parametrize("function", found, ids=[function.name for function in found])
