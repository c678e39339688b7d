"""Text is not accepted as a number or boolean in any body field of any route."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.canary.misplaced import fields, put, schema_of
from tests.integration.app import App
from tests.integration.http.test_bad_requests import BODIES
from tests.integration.synced_app import deployed_synced_app, new_user

WRONG = {"integer": "10", "number": "1", "boolean": "true"}
DEEP = "/api/resources/preview"
"""The route on which nested settings are tested; the other routes use the same pydantic model."""


@pytest.fixture(scope="module")
def shared() -> Iterator[App]:
    with deployed_synced_app() as app:
        yield app


def cases() -> Iterator[tuple[str, str, tuple[str, ...], str]]:
    """Yield every field that accepts only a number or a boolean, with a string that looks like one."""
    for method, path in BODIES:
        for place, part in dict(fields(schema_of(method, path))).items():
            kinds = {kind.get("type") for kind in part.get("anyOf", [part])} - {"null"}
            if len(kinds) == 1 and (wrong := WRONG.get(str(*kinds))) and (len(place) == 1 or path == DEEP):
                yield method, path, place, wrong


@pytest.mark.parametrize(("method", "path", "place", "wrong"), [*cases()])
def test_body_rejects_text_for_numbers_and_booleans(
    shared: App, method: str, path: str, place: tuple[str, ...], wrong: str
) -> None:
    body: dict[str, Any] = put(BODIES[method, path], place, wrong)
    for name in ("resource_id", "model"):
        if body.get(name) == "":
            body[name] = "res_00000000000000000000000000"
    target = path.format(resource_id="res_00000000000000000000000000", service="openrouter")
    answer = shared.call(method, target, body, user=new_user())
    assert (answer.status, answer.code) == (400 if path.startswith("/v1/") else 422, "invalid_field")
    details = answer.json["error"]["details"]
    assert ".".join(place) in {details["field"], *details.get("more", ())}
