"""An app that the tests of one file share; each test uses a new user, so that their order does not matter."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

from tests.integration.app import Answer, App
from tests.integration.lent_app import lend_app

MODEL = "meadow/lark"
"""A text model with few supported parameters."""

_numbers = count(1)


@contextmanager
def deployed_synced_app() -> Iterator[App]:
    """Return an app with a synced catalog and no users."""
    with lend_app() as app:
        app.prepare("synced", app.sync)
        yield app


def new_user() -> str:
    """Return a user that no other test uses."""
    return f"user-{next(_numbers)}"


def create(app: App, user: str, config: dict[str, Any] | None = None, **fields: Any) -> Answer:
    """Create a resource that uses `MODEL`, and return the response."""
    body = {"resource_type": "openrouter_instant", "name": "Haiku", "config": {"model": MODEL, **(config or {})}}
    return app.call("POST", "/api/resources", {**body, **fields}, user=user)


def created(app: App, user: str, config: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """Create a resource, assert success and return it."""
    answer = create(app, user, config, **fields)
    assert answer.status == 201, answer.text
    return dict(answer.json)
