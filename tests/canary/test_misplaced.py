"""Errors and log lines do not repeat a secret that was sent in the wrong field."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from secrets import token_hex

import pytest

from instant.domain.access.api_key import mint
from instant.domain.access.identity import Scope
from tests.canary.misplaced import Misplaced, requests
from tests.canary.sinks import Sinks, recording
from tests.integration.app import App, deployed_app

API_KEY = mint(user_id="user_canary", name="walk", scopes=frozenset(Scope), now=datetime.now(UTC))[0].reveal()
TESTED_ONCE = {"/api/resources", "/api/resources/{resource_id}", "/api/execute"}
"""Routes that validate settings and inputs like preview, and are tested with one secret only."""

SECRETS = {"an OpenRouter key": "sk-or-v1-" + token_hex(32), "an API key": API_KEY}


@pytest.fixture(scope="module")
def synced_app() -> Iterator[App]:
    """An app with a synced catalog and an OpenRouter key."""
    logging.getLogger("moto").setLevel(logging.WARNING)  # moto logs requests
    with deployed_app(ExecutePerMinute="10000") as app:
        app.sync()
        assert app.connect().status == 201
        yield app


@pytest.fixture(scope="module")
def resource_id(synced_app: App) -> str:
    """The id of a resource in this app."""
    return str(synced_app.resource()["resource_id"])


@pytest.mark.parametrize("name", SECRETS)
def test_errors_do_not_repeat_a_misplaced_secret(synced_app: App, resource_id: str, name: str) -> None:
    sinks, secret, statuses = Sinks(), SECRETS[name], set()
    with recording(sinks):
        for wrong in requests(secret):
            if secret == API_KEY and wrong.path in TESTED_ONCE:
                continue
            statuses.add(_send(synced_app, resource_id, wrong, sinks))
    assert sinks.leaks([secret], "response", "stdout", "stderr") == []
    assert _logged(sinks, secret) == []
    assert {400, 404, 422} <= statuses < {200, 201, 202, 204, 302, 400, 404, 409, 413, 422}


def _send(app: App, resource_id: str, wrong: Misplaced, sinks: Sinks) -> int:
    """Send the request; return the status, and record errors only: other responses may contain the input."""
    filled = wrong.path.format(
        **dict.fromkeys(("execution_id", "image_id", "key_id"), "x"),
        resource_id=resource_id,
        service="openrouter",
        author="meadow",
        model=resource_id,
        slug="lark",
    )
    body = wrong.body
    for name in ("resource_id", "model"):
        if isinstance(body, dict) and body.get(name) == "":
            body = {**body, name: resource_id}
    answer = app.call(wrong.method, filled, body, query=wrong.query or None)
    if answer.status >= 400:
        sinks.answer(f"{wrong.method} {wrong.path}", answer)
    return answer.status


def _logged(sinks: Sinks, secret: str) -> list[str]:
    """The log records that contain the secret."""
    return sinks.leaks([secret], "log")
