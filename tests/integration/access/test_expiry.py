"""Expired keys and tokens are rejected at once, although the gateway caches their policy for a minute."""

from collections.abc import Iterator

import pytest

from tests.integration.access.test_isolation import PRIVATE
from tests.integration.app import App
from tests.integration.aws_calls import recorded
from tests.integration.synced_app import deployed_synced_app, new_user

NAMES = {
    **dict.fromkeys(("execution_id", "image_id", "resource_id", "key_id", "model", "slug"), "x"),
    "service": "openrouter",
}


@pytest.fixture(scope="module")
def shared() -> Iterator[App]:
    with deployed_synced_app() as app:
        yield app


@pytest.mark.parametrize(("method", "path"), PRIVATE)
def test_every_route_checks_the_expiry(shared: App, method: str, path: str) -> None:
    target, user = path.format(**NAMES), new_user()
    with recorded("dynamodb") as calls:
        answer = shared.call(method, target, user=user, until="2026-01-01T00:00:00.000000Z")
    assert (answer.status, answer.code, calls) == (401, "unauthenticated", [])
    assert answer.headers["Cache-Control"] == "no-store"
    assert shared.call(method, target, user=user, until="2999-01-01T00:00:00.000000Z").status != 401
