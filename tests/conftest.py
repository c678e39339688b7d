"""Options of the whole suite: properties have no time limits, and a lost worker fails the run."""

from typing import Any

import pytest
from _pytest import runner
from hypothesis import HealthCheck, settings

from tests.call_stack import give_threads_room, with_room

settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")
give_threads_room()

_LOST = pytest.StashKey[str]()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool:
    """Run each test, with its fixtures, on a call stack in one piece."""
    return with_room(runner.pytest_runtest_protocol, item, nextitem)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object | None) -> None:
    """Remember that an xdist worker process died."""
    if error:
        node.config.stash[_LOST] = node.gateway.id


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run: xdist reports success when the lost worker had no test left."""
    if _LOST in session.config.stash and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.INTERNAL_ERROR
