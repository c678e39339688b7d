"""Hostile request bodies get a 4xx error on every route, and nothing is stored or sent."""

import json
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest

from instant.entrypoints.http.body import read_json
from tests.fakes.hostile_bodies import BYTES, HOSTILE, OVER_LIMIT, draft
from tests.integration.app import TEMPLATE, Answer, App
from tests.integration.synced_app import MODEL, created, deployed_synced_app, new_user

type Route = tuple[str, str]

FULL_ROUTE = ("POST", "/api/execute")
"""The route that is tested with every hostile body; the others, which share the parser, with a few each."""

FEW = ("10 MB", "a key twice, deep down", "NUL, escaped, deep down")
BODILESS = {"GET", "HEAD", "OPTIONS", "DELETE"}
NO_BODY = {
    ("POST", "/api/executions/{execution_id}/cancel"),
    *(("POST", f"/api/{owner}/integrations/{{service}}/test") for owner in ("user", "admin")),
}


def routes_with_a_body() -> list[Route]:
    """Return every route of the template that accepts a body."""
    functions = [body["Properties"] for body in TEMPLATE["Resources"].values() if body["Type"].endswith("::Function")]
    events = [event["Properties"] for body in functions for event in body.get("Events", {}).values()]
    routes = {(event["Method"], event["Path"]) for event in events if event.get("Method", "GET") not in BODILESS}
    return sorted(routes - NO_BODY)


@pytest.fixture(scope="module")
def shared() -> Iterator[App]:
    with deployed_synced_app() as app:
        yield app


def assert_rejected(app: App, route: Route, raw: str, **more: Any) -> None:
    """Send a body and assert that it is rejected."""
    path = route[1].format(resource_id="res_00000000000000000000000000", service="openrouter")
    assert_error(app.call(route[0], path, raw=raw, user=new_user(), **more))


def assert_error(answer: Answer) -> None:
    """Assert a 4xx error with the code of its status, which does not repeat the input."""
    found = (answer.status, answer.code, len(answer.text) < 500)
    invalid = {(status, "invalid_field", True) for status in (400, 422)}
    assert found in {(400, "malformed", True), (413, "too_large", True), *invalid}
    assert answer.json["error"]["message"]


@pytest.mark.parametrize("route", routes_with_a_body(), ids=" ".join)
def test_hostile_body_is_rejected_and_stores_nothing(shared: App, route: Route) -> None:
    before = stored(shared)
    shared.fake.forget_requests()
    is_full = route == FULL_ROUTE
    for raw in HOSTILE.values() if is_full else map(HOSTILE.__getitem__, FEW):
        assert_rejected(shared, route, raw)
    for unread in BYTES.values() if is_full else [BYTES["no UTF-8"]]:
        assert_rejected(shared, route, b64encode(unread).decode(), is_base64=True)
    assert_rejected(shared, route, "no base64 at all", is_base64=True)
    assert stored(shared) == before
    assert shared.fake.requests == []


@pytest.mark.parametrize("name", OVER_LIMIT)
def test_preview_rejects_slow_templates_before_checking_them(shared: App, name: str) -> None:
    """Without the limit the check would take up to a minute and return 200 or 422."""
    raw, limit = OVER_LIMIT[name]
    answer = shared.call("POST", "/api/resources/preview", raw=raw, user=new_user())
    assert (answer.status, answer.code) == (413, "too_large"), answer.text
    assert answer.json["error"]["details"]["limit"] == limit


def test_execute_rejects_hostile_inputs_of_a_stored_template(shared: App) -> None:
    user = new_user()
    assert shared.connect(user).status == 201
    rule = {"items": {"anyOf": [{"const": number} for number in range(5_000)]}}
    made = created(shared, user, resource_type="prompt_template", config={"model": MODEL, **draft({"it": rule})})
    run = {"resource_id": made["resource_id"], "inputs": {"it": [-1] * 5_000}}
    shared.fake.forget_requests()
    answer = shared.call("POST", "/api/execute", run, user=user)
    assert (answer.status, answer.json["error"]["details"]["limit"]) == (413, "schema_steps")
    assert shared.fake.requests == []


def stored(app: App) -> list[Any]:
    """Return every row, except call counters and the catalog, which only its sync can write."""
    variables = {name for plan in app.plan.functions.values() for name in plan.environment}
    tables = {name for name in variables if name.endswith("_TABLE")} - {"LIMITS_TABLE", "MODELS_TABLE"}
    return [app.table(name) for name in sorted(tables)]


def test_read_json_accepts_large_harmless_body() -> None:
    value = {"a": ['[{,"\\'] * 10_000, "b": "\\u0000", "c": {"[": "]"}, "d": "x" * 1_000_000}
    assert read_json(json.dumps(value)) == value


def test_body_accepts_base64_encoding(shared: App) -> None:
    body = b64encode('{"name": "Schlüssel", "scopes": ["execute"]}'.encode()).decode()
    answer = shared.call("POST", "/api/user/api-keys", raw=body, user=new_user(), is_base64=True)
    assert (answer.status, answer.json["name"]) == (201, "Schlüssel")
