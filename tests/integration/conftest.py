"""Fixtures of the integration tests: an empty app, an app with a catalog and a key, and fast thread switching."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.fakes.clock import FakeClock
from tests.integration.app import App, set_clock
from tests.integration.lent_app import lend_app


@pytest.fixture(scope="module")
def module_app() -> Iterator[App]:
    """The app that the tests of one file share."""
    with lend_app() as opened:
        yield opened


@pytest.fixture
def app(module_app: App) -> App:
    """An empty app whose functions may be warm."""
    module_app.empty()
    return module_app


@pytest.fixture
def seeded(app: App) -> App:
    """An app with a synced catalog, and a key connected for alice."""
    app.prepare("seeded", lambda: _seed(app))
    return app


def _seed(app: App) -> None:
    app.sync()
    assert app.connect().status == 201


@pytest.fixture
def fast_thread_switching() -> Iterator[None]:
    """Set the shortest interval between thread switches."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


@pytest.fixture
def later(app: App) -> Iterator[FakeClock]:
    """The clock of the app's catalog syncs; it starts at the current time and advances only when moved."""
    module, clock = app.module("CatalogSyncFunction"), FakeClock(datetime.now(UTC))
    before = module.deps
    set_clock(app, clock)
    yield clock
    module.deps = before
