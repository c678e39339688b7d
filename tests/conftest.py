"""Options of all tests: property tests have no deadline, and a lost worker fails the run."""

from typing import Any

import pytest
from _pytest import runner
from hypothesis import HealthCheck, settings

from tests.call_stack import call_on_one_chunk, run_threads_on_one_chunk

settings.register_profile("no-deadline", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("no-deadline")
run_threads_on_one_chunk()

_LOST = pytest.StashKey[str]()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool:
    """Run each test with its fixtures on a single chunk of the frame stack."""
    return call_on_one_chunk(runner.pytest_runtest_protocol, item, nextitem)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object | None) -> None:
    """Remember that an xdist worker process died."""
    if error:
        node.config.stash[_LOST] = node.gateway.id


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run: xdist reports success when the lost worker had no test left."""
    if _LOST in session.config.stash and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.INTERNAL_ERROR
