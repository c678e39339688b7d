"""Malformed request bodies get a 4xx error that names the problem and does not repeat the input."""

import json
import logging
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import pytest

from tests.integration.app import CALLBACKS, EMBEDDER, EMBEDDINGS, GOOD_KEY, Answer, App
from tests.integration.aws_calls import operations, recorded
from tests.integration.synced_app import MODEL, created, deployed_synced_app

type Route = tuple[str, str]

CANARY = "canary-4711"
READS = {"GetItem", "BatchGetItem", "Query", "Scan"}
INTEGRATION = "/api/user/integrations/{service}"
PLATFORM_S = "/api/admin/integrations/{service}"
BODIES: dict[Route, dict[str, Any]] = {
    ("POST", "/api/execute"): {"resource_id": "", "inputs": {"prompt": "hello"}},
    ("POST", "/api/execute/stream"): {"resource_id": "", "inputs": {"prompt": "hello"}},
    ("POST", "/v1/chat/completions"): {"model": "", "messages": [{"role": "user", "content": "hello"}]},
    ("POST", "/v1/responses"): {"model": "", "input": [{"role": "user", "content": "hello"}]},
    ("POST", "/v1/embeddings"): {"model": "", "input": ["hello"]},
    ("POST", "/api/resources"): {
        "resource_type": "openrouter_instant",
        "name": "Haiku",
        "slug": "a-new-one",
        "description": "Three lines.",
        "category": "fun",
        "visibility": "public",
        "config": {"model": MODEL, "temperature": 1},
    },
    ("POST", "/api/resources/preview"): {
        "resource_type": "openrouter_instant",
        "config": {"model": MODEL},
        "inputs": {"prompt": "hello"},
        "overrides": {},
    },
    ("POST", "/api/models/estimate"): {
        "models": [MODEL],
        "prompt_tokens": 10,
        "completion_tokens": 10,
        "sort": "worst",
    },
    ("PATCH", "/api/resources/{resource_id}"): {"name": "New", "visibility": "public", "config": {"model": MODEL}},
    ("POST", INTEGRATION): {"api_key": GOOD_KEY, "max_cost_per_call_usd": "1"},
    ("POST", f"{INTEGRATION}/connect"): {"callback_url": CALLBACKS[0]},
    ("POST", f"{INTEGRATION}/connect/complete"): {
        "code": "auth_code_1",
        "code_verifier": "v" * 43,
        "max_cost_per_call_usd": "1",
    },
    ("PATCH", INTEGRATION): {"is_enabled": False, "max_cost_per_call_usd": "1"},
    ("POST", PLATFORM_S): {"api_key": GOOD_KEY, "max_cost_per_call_usd": "1"},
    ("PATCH", PLATFORM_S): {"is_enabled": False, "max_cost_per_call_usd": "1"},
    ("PUT", "/api/budgets"): {"scope": "user", "daily_usd": "5", "monthly_usd": "100"},
    ("POST", "/api/user/api-keys"): {"name": "x", "scopes": ["execute"], "expires_at": "2099-01-01T00:00:00Z"},
    ("POST", "/api/admin/sync-models"): {"accept_losses": True},
}
"""A valid body for every route that accepts one."""

OPEN = ("POST", "/api/models/estimate")
"""A public route: its responses need no `Cache-Control: no-store`."""
OPTIONAL = ("POST", "/api/admin/sync-models")
BODILESS = {
    ("POST", f"{INTEGRATION}/test"),
    ("POST", "/api/admin/integrations/{service}/test"),
    ("POST", "/api/executions/{execution_id}/cancel"),
}


@pytest.fixture(scope="module")
def resource_id() -> list[str]:
    """A list that will contain the ids of the app's resources: of the one for chat, and of the one for embeddings."""
    return []


@pytest.fixture(scope="module")
def shared(resource_id: list[str]) -> Iterator[App]:
    """An app with the integration and the resource that the routes need."""
    with deployed_synced_app() as app:
        assert app.connect().status == 201
        resource_id.append(created(app, "alice")["resource_id"])
        resource_id.append(app.resource(resource_type=EMBEDDINGS, config={"model": EMBEDDER})["resource_id"])
        app.fake.forget_requests()
        yield app


class Sender:
    """Sends bodies to one route, and asserts what every rejection has in common."""

    def __init__(self, app: App, route: Route, resource_ids: list[str]) -> None:
        self.app, self.route = app, route
        self.method, path = route
        self.path = path.format(resource_id=resource_ids[0], service="openrouter")
        named = resource_ids[path == "/v1/embeddings"]
        self.good = {name: named if value == "" else value for name, value in BODIES[route].items()}
        self.invalid = 400 if path.startswith("/v1/") else 422
        """The status of an invalid field."""

    def rejected(self, raw: str, status: int, caplog: pytest.LogCaptureFixture, **headers: str) -> dict[str, Any]:
        """Send `raw`, assert the status and that nothing is written, sent or leaked, and return the error."""
        with recorded("dynamodb") as calls, recorded("events") as events, caplog.at_level(logging.DEBUG):
            answer = self.app.call(self.method, self.path, raw=raw, headers=headers)
        assert answer.status == status, answer.text
        error = _error(answer, self.route)
        assert "Traceback" not in answer.text + caplog.text
        assert CANARY not in answer.text + caplog.text
        assert (set(operations(calls)) <= READS, events, self.app.fake.requests) == (True, [], [])
        return error


def _error(answer: Answer, route: Route) -> dict[str, Any]:
    """Assert the format of the error and return it."""
    assert set(answer.json) == {"error"}
    error = dict(answer.json["error"])
    assert {"code", "message", "type", "param", "retryable"} == set(error) - {"details"}
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers.get("Cache-Control") == (None if route == OPEN else "no-store")
    assert error["message"]
    return error


FULL_ROUTE = ("POST", "/api/resources")
"""The route that is tested with every invalid body; the others, which share the parser, with three each."""


def cases(values: Mapping[str, str], few: Collection[str]) -> Iterator[Any]:
    """Yield every value for `FULL_ROUTE`, and a few for each other route."""
    for route in BODIES:
        for name in values if route == FULL_ROUTE else few:
            yield pytest.param(route, values[name], id=f"{' '.join(route)}: {name}")


@pytest.fixture(params=BODIES, ids=[f"{method} {path}" for method, path in BODIES])
def sender(request: pytest.FixtureRequest, shared: App, resource_id: list[str]) -> Sender:
    return Sender(shared, request.param, resource_id)


def test_senders_cover_every_route_with_a_body(shared: App) -> None:
    routes = {(route.method, route.path) for route in shared.plan.operations if route.method not in {"GET", "DELETE"}}
    assert routes == set(BODIES) | BODILESS


UNREADABLE = {
    "half an object": f'{{"{CANARY}": "{CANARY}',
    "text": CANARY,
    "single quotes": f"{{'name': '{CANARY}'}}",
    "trailing comma": f'{{"name": "{CANARY}",}}',
    "two objects": f'{{"name": "{CANARY}"}}{{}}',
    "NaN": f'{{"{CANARY}": NaN}}',
    "Infinity": f'{{"{CANARY}": -Infinity}}',
    "infinite number": f'{{"{CANARY}": 1e400}}',
    "infinite number, nested": f'{{"config": {{"{CANARY}": [0, -1.5E+309]}}}}',
    "lone surrogate, escaped": f'{{"name": "{CANARY}\\ud800"}}',
    "lone surrogate, raw": f'{{"name": "{CANARY}\ud800"}}',
    "lone surrogate as a key": f'{{"{CANARY}\\udfff": 1}}',
    "a control character": f'{{"name": "{CANARY}\n"}}',
    "nested arrays": "[" * 100_000,
    "nested arrays, closed": "[" * 100_000 + "]" * 100_000,
    "nested objects": '{"config":' * 20_000,
    "deeply nested field": '{"config":' + "[" * 100_000 + "]" * 100_000 + "}",
    "very long number": f'{{"{CANARY}": {"9" * 5_000}}}',
    "duplicate key": f'{{"name": "a", "name": "{CANARY}"}}',
    "duplicate key, nested": f'{{"config": {{"model": "{CANARY}", "model": "{CANARY}"}}}}',
    "duplicate key, spelled differently": f'{{"name": "{CANARY}", "n\\u0061me": "b"}}',
}


@pytest.mark.parametrize(
    ("sender", "raw"), [*cases(UNREADABLE, ("half an object", "duplicate key", "nested arrays"))], indirect=["sender"]
)
def test_body_rejects_unreadable_json(sender: Sender, raw: str, caplog: pytest.LogCaptureFixture) -> None:
    assert sender.rejected(raw, 400, caplog)["code"] == "malformed"


NOT_OBJECTS = {raw: raw for raw in ("[]", f'["{CANARY}"]', f'"{CANARY}"', '""', "7", "true", "[{}]", "1e999")}


@pytest.mark.parametrize(("sender", "raw"), [*cases(NOT_OBJECTS, ("[]", "7", "1e999"))], indirect=["sender"])
def test_body_rejects_json_that_is_not_an_object(sender: Sender, raw: str, caplog: pytest.LogCaptureFixture) -> None:
    assert sender.rejected(raw, 400, caplog)["code"] == "malformed"


def test_body_rejects_valid_object_inside_a_list(sender: Sender, caplog: pytest.LogCaptureFixture) -> None:
    for raw in (json.dumps([sender.good]), json.dumps([sender.good, {}]), json.dumps([[sender.good]])):
        assert sender.rejected(raw, 400, caplog)["code"] == "malformed"


@pytest.mark.parametrize("raw", ["null", ""])
def test_body_rejects_missing_body_unless_optional(sender: Sender, raw: str, caplog: pytest.LogCaptureFixture) -> None:
    if sender.route == OPTIONAL:
        assert sender.app.call(sender.method, sender.path, raw=raw).status == 202
        return
    assert sender.rejected(raw, 400, caplog)["code"] == "malformed"
    assert _error(sender.app.call(sender.method, sender.path), sender.route)["code"] == "malformed"


NOT_JSON = {
    kind: kind
    for kind in (
        "application/x-www-form-urlencoded",
        "text/plain; charset=utf-8",
        "application/json; charset=utf-16",
        "multipart/form-data; boundary=x",
        "application/jsonx",
        "application/vnd.api+json",
        "json",
        "*/*",
    )
}


@pytest.mark.parametrize(
    ("sender", "kind"),
    [*cases(NOT_JSON, ("application/x-www-form-urlencoded", "application/json; charset=utf-16", "*/*"))],
    indirect=["sender"],
)
@pytest.mark.parametrize("name", ["Content-Type", "content-type"])
def test_content_type_rejects_anything_but_json(
    sender: Sender, kind: str, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    headers = {"Content-Type": kind} if name == "Content-Type" else {"Content-Type": kind, name: kind}
    for raw in (json.dumps(sender.good), f"name={CANARY}"):
        assert sender.rejected(raw, 415, caplog, **headers)["code"] == "unsupported_media_type"


@pytest.mark.parametrize(
    "kind", ["Application/JSON", "APPLICATION/JSON; charset=utf-8", "application/json;charset=UTF-8"]
)
def test_content_type_accepts_json_in_any_case(sender: Sender, kind: str) -> None:
    answer = sender.app.call(sender.method, sender.path, raw='{"surprise": 1}', headers={"Content-Type": kind})
    assert (answer.status, answer.code) == (sender.invalid, "invalid_field"), "the body is read"


def test_body_rejects_unknown_field_by_name(sender: Sender, caplog: pytest.LogCaptureFixture) -> None:
    for value in (CANARY, [CANARY], {CANARY: CANARY}, None, 7):
        error = sender.rejected(json.dumps({**sender.good, "surprise": value}), sender.invalid, caplog)
        assert (error["code"], error["details"]["field"]) == ("invalid_field", "surprise")
        assert "surprise" in error["message"]


def test_body_rejects_wrong_type_by_field_name(sender: Sender, caplog: pytest.LogCaptureFixture) -> None:
    for field in sender.good:
        for value in ([[CANARY]], {"x": {"y": CANARY}}, [CANARY, 7]):
            if isinstance(sender.good[field], dict) and isinstance(value, dict):
                continue
            error = sender.rejected(json.dumps({**sender.good, field: value}), sender.invalid, caplog)
            assert error["code"] == "invalid_field"
            assert error["details"]["field"].split(".")[0] == field


def test_body_error_lists_all_wrong_fields(sender: Sender, caplog: pytest.LogCaptureFixture) -> None:
    wrong = {name: [[CANARY]] for name in sender.good} | {f"surprise{number}": CANARY for number in range(50)}
    error = sender.rejected(json.dumps(wrong), sender.invalid, caplog)
    assert 0 < len(error["details"]["more"]) < 10


def test_body_rejects_huge_field_without_repeating_it(sender: Sender, caplog: pytest.LogCaptureFixture) -> None:
    error = sender.rejected(json.dumps({"x" * 100_000: CANARY}), sender.invalid, caplog)
    assert len(error["message"]) < 1_000


COERCIBLE = [
    (("POST", "/api/user/api-keys"), {"expires_at": 4_102_444_800}, "expires_at"),
    (("POST", "/api/user/api-keys"), {"expires_at": "4102444800"}, "expires_at"),
    (("POST", "/api/user/api-keys"), {"expires_at": True}, "expires_at"),
    (("POST", "/api/user/api-keys"), {"scopes": {"execute": 1}}, "scopes"),
    (("PATCH", INTEGRATION), {"is_enabled": "off"}, "is_enabled"),
    (("PATCH", INTEGRATION), {"is_enabled": 0}, "is_enabled"),
    (("PATCH", INTEGRATION), {"max_cost_per_call_usd": True}, "max_cost_per_call_usd"),
    (("PUT", "/api/budgets"), {"daily_usd": True}, "daily_usd"),
    (("PUT", "/api/budgets"), {"scope": 0}, "scope"),
    (("PUT", "/api/budgets"), {"scope": "api_key", "id": 7}, "id"),
    (OPTIONAL, {"accept_losses": "yes"}, "accept_losses"),
    (OPTIONAL, {"accept_losses": 1}, "accept_losses"),
    (("POST", "/api/resources"), {"name": 7}, "name"),
    (("POST", "/api/resources"), {"visibility": 0}, "visibility"),
    (("POST", "/api/resources"), {"config": {"model": MODEL, "max_tokens": True}}, "config.max_tokens"),
    (("POST", "/api/resources"), {"config": {"model": MODEL, "max_tokens": "100"}}, "config.max_tokens"),
    (("POST", "/api/resources"), {"config": {"model": MODEL, "temperature": "1"}}, "config.temperature"),
    (
        ("POST", "/api/resources"),
        {"config": {"model": MODEL, "reasoning": {"exclude": "no"}}},
        "config.reasoning.exclude",
    ),
]
"""Values that a lax parser would coerce to the right type."""


@pytest.mark.parametrize(("route", "change", "field"), COERCIBLE, ids=range(len(COERCIBLE)))
def test_body_does_not_coerce_types(
    shared: App,
    resource_id: list[str],
    route: Route,
    change: dict[str, Any],
    field: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    sender = Sender(shared, route, resource_id)
    error = sender.rejected(json.dumps({**sender.good, **change}), sender.invalid, caplog)
    assert (error["code"], error["details"]["field"]) == ("invalid_field", field)


def test_float_fields_accept_whole_numbers(shared: App) -> None:
    config = {"model": MODEL, "temperature": 1, "top_p": 1}
    body = {"resource_type": "openrouter_instant", "config": config, "inputs": {"prompt": "hello"}}
    sent = shared.call("POST", "/api/resources/preview", body).json["request"]
    assert (sent["temperature"], sent["top_p"]) == (1, 1)


def test_overlong_id_returns_not_found_without_database_request(shared: App) -> None:
    routes = [route for route in shared.plan.operations if "_id}" in route.path]
    assert len(routes) == 9
    for route in routes:
        body = BODIES.get((route.method, route.path))
        missing, *long = (
            _at(shared, route.method, re.sub(r"{\w+_id}", "x" * length, route.path), body) for length in (40, 41, 3_000)
        )
        assert (missing[0].status, missing[0].code) == (404, "not_found")
        assert missing[1] != []
        assert long == [(missing[0], [])] * 2, route


def _at(app: App, method: str, path: str, body: Any) -> tuple[Answer, list[str]]:
    """Return the response and the DynamoDB operations of a request."""
    with recorded("dynamodb") as calls:
        answer = app.call(method, path, body)
    return answer, operations(calls)


@pytest.mark.parametrize("name", ["Idempotency-Key", "idempotency-key"])
@pytest.mark.parametrize("value", ["", " ", "two words", "k" * 256, "schlüssel", "tab\t", "nul\0"])
def test_idempotency_key_header_rejects_invalid_values(
    shared: App, resource_id: list[str], name: str, value: str, caplog: pytest.LogCaptureFixture
) -> None:
    sender = Sender(shared, ("POST", "/api/execute"), resource_id)
    error = sender.rejected(json.dumps(sender.good), sender.invalid, caplog, **{name: value})
    assert (error["code"], error["details"]["field"]) == ("invalid_field", "Idempotency-Key")
    assert "1 to 255 visible ASCII" in error["message"]
