"""Libraries that could log keys do not log below WARNING, at any level of the root logger."""

import logging
from collections.abc import Iterator

import pytest

from instant.entrypoints.observability import LIBRARIES, quiet_libraries

LOGGERS = (
    *("botocore", "botocore.hooks", "botocore.endpoint", "botocore.parsers", "botocore.auth"),
    *("httpx", "httpcore", "httpcore.connection", "httpcore.http11", "urllib3", "urllib3.connectionpool"),
    *("pynamodb", "pynamodb.connection.base", "aws_lambda_powertools", "aws_lambda_powertools.event_handler.router"),
)


@pytest.fixture
def debug_level() -> Iterator[None]:
    """A root logger at DEBUG, and library loggers that inherit its level."""
    root = logging.getLogger()
    before = {name: logging.getLogger(name).level for name in LIBRARIES}
    level = root.level
    root.setLevel(logging.DEBUG)
    for name in LIBRARIES:
        logging.getLogger(name).setLevel(logging.NOTSET)
    yield
    root.setLevel(level)
    for name in LIBRARIES:
        logging.getLogger(name).setLevel(before[name])


@pytest.mark.parametrize("name", LOGGERS)
def test_observability_libraries_do_not_log_below_warning(debug_level: None, name: str) -> None:
    assert logging.getLogger(name).isEnabledFor(logging.DEBUG), "the library logs at DEBUG before the change"
    quiet_libraries()
    logging.getLogger().setLevel(logging.DEBUG)
    assert not logging.getLogger(name).isEnabledFor(logging.INFO)
    assert logging.getLogger(name).isEnabledFor(logging.WARNING)


@pytest.mark.parametrize("library", LIBRARIES)
def test_observability_later_library_loggers_do_not_log_debug(debug_level: None, library: str) -> None:
    quiet_libraries()
    child = logging.getLogger(f"{library}.made_later")
    try:
        assert not child.isEnabledFor(logging.DEBUG)
    finally:
        del logging.Logger.manager.loggerDict[child.name]


def test_observability_own_loggers_use_the_root_level(debug_level: None) -> None:
    quiet_libraries()
    assert logging.getLogger("instant.use_cases.executions.record").isEnabledFor(logging.DEBUG)
