"""Errors and log lines do not repeat a secret that was sent in the wrong field."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from secrets import token_hex

import pytest

from instant.domain.access.api_key import mint
from instant.domain.access.identity import Scope
from tests.canary.misplaced import Misplaced, requests
from tests.canary.sinks import Sinks, listening
from tests.integration.app import App, deployed_app

OURS = mint(user_id="user_canary", name="walk", scopes=frozenset(Scope), now=datetime.now(UTC))[0].reveal()
LIKE_OTHERS = {"/api/resources", "/api/resources/{resource_id}", "/api/execute"}
"""Read settings and inputs as preview does: one spelling of a secret is enough for them."""

SECRETS = {"a key of OpenRouter's": "sk-or-v1-" + token_hex(32), "a key of ours": OURS}


@pytest.fixture(scope="module")
def shared() -> Iterator[App]:
    """An app with a resource for those who are to be told that its fields are wrong."""
    logging.getLogger("moto").setLevel(logging.WARNING)  # the simulation keeps its own thoughts
    with deployed_app() as app:
        app.sync()
        assert app.connect().status == 201
        yield app


@pytest.fixture(scope="module")
def resource_id(shared: App) -> str:
    """Its id."""
    return str(shared.resource()["resource_id"])


@pytest.mark.parametrize("name", SECRETS)
def test_errors_do_not_repeat_a_misplaced_secret(shared: App, resource_id: str, name: str) -> None:
    sinks, secret, statuses = Sinks(), SECRETS[name], set()
    with listening(sinks):
        for wrong in requests(secret):
            if secret == OURS and wrong.path in LIKE_OTHERS:
                continue
            statuses.add(_send(shared, resource_id, wrong, sinks))
    assert sinks.leaks([secret], "response", "stdout", "stderr") == []
    assert _logged(sinks, secret) == []
    assert {400, 404, 422} <= statuses < {200, 201, 202, 204, 302, 400, 404, 409, 413, 422}


def _send(app: App, resource_id: str, wrong: Misplaced, sinks: Sinks) -> int:
    """The status; only errors are noted, since what is accepted is the caller's own to see."""
    filled = wrong.path.format(
        **dict.fromkeys(("execution_id", "image_id", "key_id"), "x"),
        resource_id=resource_id,
        service="openrouter",
        author="meadow",
        slug="lark",
    )
    body = wrong.body
    if isinstance(body, dict) and body.get("resource_id") == "":
        body = {**body, "resource_id": resource_id}
    answer = app.call(wrong.method, filled, body, query=wrong.query or None)
    if answer.status >= 400:
        sinks.answer(f"{wrong.method} {wrong.path}", answer)
    return answer.status


def _logged(sinks: Sinks, secret: str) -> list[str]:
    """Log records that have it."""
    return sinks.leaks([secret], "log")
