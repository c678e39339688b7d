"""Whatever is sent as a body, the answer is ours: a 4xx that names the problem and repeats nothing."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.aws_calls import operations, recorded
from tests.integration.guests import MODEL, created, open_guest_house
from tests.integration.house import GOOD_KEY, Answer, House

type Route = tuple[str, str]

CANARY = "canary-4711"
READS = {"GetItem", "BatchGetItem", "Query", "Scan"}
INTEGRATION = "/api/user/integrations/{service}"
BODIES: dict[Route, dict[str, Any]] = {
    ("POST", "/api/execute"): {"resource_id": "", "inputs": {"prompt": "hello"}},
    ("POST", "/api/resources"): {
        "resource_type": "openrouter_instant",
        "name": "Haiku",
        "slug": "a-new-one",
        "description": "Three lines.",
        "category": "fun",
        "visibility": "public",
        "config": {"model": MODEL, "temperature": 1},
    },
    ("PATCH", "/api/resources/{resource_id}"): {"name": "New", "visibility": "public", "config": {"model": MODEL}},
    ("POST", INTEGRATION): {"api_key": GOOD_KEY, "max_cost_per_call_usd": "1"},
    ("PATCH", INTEGRATION): {"is_enabled": False, "max_cost_per_call_usd": "1"},
    ("POST", "/api/user/api-keys"): {"name": "x", "scopes": ["execute"], "expires_at": "2099-01-01T00:00:00Z"},
    ("POST", "/api/admin/sync-models"): {"accept_losses": True},
}
"""A good body for every route that takes one."""

OPTIONAL = ("POST", "/api/admin/sync-models")
BODILESS = {("POST", f"{INTEGRATION}/test")}


@pytest.fixture(scope="module")
def resource_id() -> list[str]:
    """Where the house's one resource is noted."""
    return []


@pytest.fixture(scope="module")
def shared(resource_id: list[str]) -> Iterator[House]:
    """A house in which every route has something to work on."""
    with open_guest_house() as house:
        assert house.connect().status == 201
        resource_id.append(created(house, "alice")["resource_id"])
        house.fake.forget_requests()
        yield house


class Sender:
    """Sends bodies to one route, and checks what every refusal has in common."""

    def __init__(self, house: House, route: Route, resource_id: str) -> None:
        self.house, self.route = house, route
        self.method, path = route
        self.path = path.format(resource_id=resource_id, service="openrouter")
        self.good = {**BODIES[route], **({"resource_id": resource_id} if "resource_id" in BODIES[route] else {})}

    def refused(self, raw: str, status: int, caplog: pytest.LogCaptureFixture, **headers: str) -> dict[str, Any]:
        """The error that `raw` is answered with."""
        with recorded("dynamodb") as calls, recorded("events") as events, caplog.at_level(logging.DEBUG):
            answer = self.house.call(self.method, self.path, raw=raw, headers=headers)
        assert answer.status == status, answer.text
        error = _error(answer)
        assert "Traceback" not in answer.text + caplog.text
        assert CANARY not in answer.text + caplog.text
        assert (set(operations(calls)) <= READS, events, self.house.fake.requests) == (True, [], [])
        return error


def _error(answer: Answer) -> dict[str, Any]:
    """The error, if it has our shape."""
    assert set(answer.json) == {"error"}
    error = dict(answer.json["error"])
    assert {"code", "message", "retryable"} <= set(error) <= {"code", "message", "retryable", "details"}
    assert answer.headers["Content-Type"] == "application/json"
    assert error["message"]
    return error


@pytest.fixture(params=BODIES, ids=[f"{method} {path}" for method, path in BODIES])
def sender(request: pytest.FixtureRequest, shared: House, resource_id: list[str]) -> Sender:
    return Sender(shared, request.param, resource_id[0])


def test_every_route_with_a_body_is_here(shared: House) -> None:
    routes = {(route.method, route.path) for route in shared.plan.routes if route.method not in {"GET", "DELETE"}}
    assert routes == set(BODIES) | BODILESS


UNREADABLE = {
    "half an object": f'{{"{CANARY}": "{CANARY}',
    "text": CANARY,
    "single quotes": f"{{'name': '{CANARY}'}}",
    "a comma too much": f'{{"name": "{CANARY}",}}',
    "two objects": f'{{"name": "{CANARY}"}}{{}}',
    "NaN": f'{{"{CANARY}": NaN}}',
    "Infinity": f'{{"{CANARY}": -Infinity}}',
    "half a character, escaped": f'{{"name": "{CANARY}\\ud800"}}',
    "half a character, raw": f'{{"name": "{CANARY}\ud800"}}',
    "half a character as a key": f'{{"{CANARY}\\udfff": 1}}',
    "a control character": f'{{"name": "{CANARY}\n"}}',
    "nested arrays": "[" * 100_000,
    "nested arrays, whole": "[" * 100_000 + "]" * 100_000,
    "nested objects": '{"config":' * 100_000,
    "a deep field": '{"config":' + "[" * 100_000 + "]" * 100_000 + "}",
    "a number without end": f'{{"{CANARY}": {"9" * 5_000}}}',
    "a key twice": f'{{"name": "a", "name": "{CANARY}"}}',
    "a key twice, deep down": f'{{"config": {{"model": "{CANARY}", "model": "{CANARY}"}}}}',
    "a key twice, spelled twice": f'{{"name": "{CANARY}", "n\\u0061me": "b"}}',
}


@pytest.mark.parametrize("raw", UNREADABLE.values(), ids=UNREADABLE)
def test_what_cannot_be_read(sender: Sender, raw: str, caplog: pytest.LogCaptureFixture) -> None:
    assert sender.refused(raw, 400, caplog)["code"] == "malformed"


@pytest.mark.parametrize("raw", ["[]", f'["{CANARY}"]', f'"{CANARY}"', '""', "7", "true", "[{}]", "1e999"])
def test_what_is_no_object(sender: Sender, raw: str, caplog: pytest.LogCaptureFixture) -> None:
    assert sender.refused(raw, 400, caplog)["code"] == "malformed"


def test_a_good_body_in_a_list_is_no_good_body(sender: Sender, caplog: pytest.LogCaptureFixture) -> None:
    for raw in (json.dumps([sender.good]), json.dumps([sender.good, {}]), json.dumps([[sender.good]])):
        assert sender.refused(raw, 400, caplog)["code"] == "malformed"


@pytest.mark.parametrize("raw", ["null", ""])
def test_no_body_at_all(sender: Sender, raw: str, caplog: pytest.LogCaptureFixture) -> None:
    if sender.route == OPTIONAL:
        assert sender.house.call(sender.method, sender.path, raw=raw).status == 202
        return
    assert sender.refused(raw, 400, caplog)["code"] == "malformed"
    assert _error(sender.house.call(sender.method, sender.path))["code"] == "malformed"


@pytest.mark.parametrize(
    "kind",
    [
        "application/x-www-form-urlencoded",
        "text/plain; charset=utf-8",
        "multipart/form-data; boundary=x",
        "application/jsonx",
        "application/vnd.api+json",
        "json",
        "*/*",
    ],
)
@pytest.mark.parametrize("name", ["Content-Type", "content-type"])
def test_another_content_type(sender: Sender, kind: str, name: str, caplog: pytest.LogCaptureFixture) -> None:
    headers = {"Content-Type": kind} if name == "Content-Type" else {"Content-Type": kind, name: kind}
    for raw in (json.dumps(sender.good), f"name={CANARY}"):
        assert sender.refused(raw, 415, caplog, **headers)["code"] == "unsupported_media_type"


def test_an_unknown_field_is_named(sender: Sender, caplog: pytest.LogCaptureFixture) -> None:
    for value in (CANARY, [CANARY], {CANARY: CANARY}, None, 7):
        error = sender.refused(json.dumps({**sender.good, "surprise": value}), 422, caplog)
        assert (error["code"], error["details"]["field"]) == ("invalid_field", "surprise")
        assert "surprise" in error["message"]


def test_a_wrong_type_is_named(sender: Sender, caplog: pytest.LogCaptureFixture) -> None:
    for field in sender.good:
        for value in ([[CANARY]], {"x": {"y": CANARY}}, [CANARY, 7]):
            if isinstance(sender.good[field], dict) and isinstance(value, dict):
                continue
            error = sender.refused(json.dumps({**sender.good, field: value}), 422, caplog)
            assert error["code"] == "invalid_field"
            assert error["details"]["field"].split(".")[0] == field


def test_many_wrong_fields_are_named_together(sender: Sender, caplog: pytest.LogCaptureFixture) -> None:
    wrong = {name: [[CANARY]] for name in sender.good} | {f"surprise{number}": CANARY for number in range(50)}
    error = sender.refused(json.dumps(wrong), 422, caplog)
    assert 0 < len(error["details"]["more"]) < 10


def test_a_huge_field_is_refused_without_repeating_it(sender: Sender, caplog: pytest.LogCaptureFixture) -> None:
    error = sender.refused(json.dumps({"x" * 100_000: CANARY}), 422, caplog)
    assert len(error["message"]) < 1_000
