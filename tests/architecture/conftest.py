"""Every check of one function runs once per function of the template."""

import pytest

from tests.architecture.project import functions


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes `function` gets each of them."""
    if "function" in metafunc.fixturenames:
        found = functions()
        metafunc.parametrize("function", found, ids=[function.name for function in found])
