"""Requests that the built stack rejects over HTTP: tokens, scopes, unknown routes, other users' data, and sizes."""

import json
from typing import Any

import pytest

from tests.e2e.journey import Journey
from tests.e2e.world import World
from tests.local.toy.calling import Reply, call

pytestmark = pytest.mark.e2e

MEGABYTE = 2**20
MISSING = "0" * 26


def code(reply: Reply) -> tuple[int, str]:
    """The status and the code of an error; asserts that it has the common fields."""
    error = reply.json["error"]
    assert {"code", "message", "retryable"} <= error.keys()
    return reply.status, error["code"]


def visible(reply: Reply) -> tuple[int, bytes, list[str]]:
    """The parts of a response by which a caller could distinguish two responses."""
    return reply.status, reply.body, sorted(reply.headers)


@pytest.mark.parametrize("token", [None, "Bearer x4k_live_wrong", "Bearer", "Basic abc", "Bearer x.y.z"])
def test_missing_and_wrong_tokens_return_the_same_error(world: World, token: str | None) -> None:
    headers = {"Authorization": token} if token else {}
    reply = call(world.stack.url, "GET", "/api/resources", **headers)
    assert code(reply) == (401, "unauthenticated")
    assert reply.headers["Content-Type"] == "application/json"


def test_sync_requires_admin(world: World, journey: Journey) -> None:
    before = len(world.fake.requests)
    assert code(world.call("alice", "POST", "/api/admin/sync-models")) == (403, "forbidden")
    world.stack.settle()
    assert len(world.fake.requests) == before


def test_api_key_requires_the_scope_of_a_route(world: World, journey: Journey) -> None:
    world.keys["runner"] = world.done(
        201, "alice", "POST", "/api/user/api-keys", {"name": "runner", "scopes": ["execute"]}
    )["api_key"]
    run = {"resource_id": journey.resource["resource_id"], "inputs": {"prompt": "alice: Hello"}}
    world.done(200, "runner", "POST", "/api/execute", run)
    for method, path, body in (
        ("POST", "/api/resources", {"resource_type": "openrouter_instant", "name": "x", "config": {}}),
        ("POST", "/api/user/api-keys", {"name": "x", "scopes": ["execute"]}),
        ("POST", "/api/user/integrations/openrouter/test", None),
    ):
        assert code(world.call("runner", method, path, body)) == (403, "forbidden")


@pytest.mark.parametrize(("method", "path"), [("GET", "/api/nothing"), ("PUT", "/api/execute"), ("GET", "/")])
def test_unknown_route_returns_not_found(world: World, method: str, path: str) -> None:
    assert code(world.call("alice", method, path)) == (404, "not_found")


@pytest.mark.parametrize(
    ("method", "body"), [("GET", None), ("PATCH", {"name": "mine"}), ("DELETE", None)], ids=lambda value: str(value)
)
def test_resource_of_another_user_returns_not_found(world: World, journey: Journey, method: str, body: Any) -> None:
    hidden = world.resource("alice", name="Hidden")["resource_id"]
    foreign = world.call("bob", method, f"/api/resources/{hidden}", body)
    missing = world.call("bob", method, f"/api/resources/res_{MISSING}", body)
    assert visible(foreign) == visible(missing)
    assert code(foreign) == (404, "not_found")
    world.done(200, "alice", "GET", f"/api/resources/{hidden}")


def test_execute_rejects_resource_of_another_user_like_missing(world: World, journey: Journey) -> None:
    hidden = world.resource("alice", name="Hidden", slug="well-hidden")
    foreign = [
        world.execute("bob", "Hello", resource_id=hidden["resource_id"]),
        world.execute("bob", "Hello", resource=hidden["address"]),
    ]
    missing = world.execute("bob", "Hello", resource_id=f"res_{MISSING}")
    assert [visible(reply) for reply in foreign] == [visible(missing)] * 2
    assert code(missing) == (404, "not_found")
    world.done(204, "alice", "DELETE", f"/api/resources/{hidden['resource_id']}")


def test_execution_of_another_user_returns_not_found(world: World, journey: Journey) -> None:
    foreign = world.call("bob", "GET", f"/api/executions/{journey.by_id['execution_id']}")
    assert visible(foreign) == visible(world.call("bob", "GET", f"/api/executions/exe_{MISSING}"))
    assert code(foreign) == (404, "not_found")


def test_api_key_of_another_user_returns_not_found(world: World, journey: Journey) -> None:
    own = world.done(200, "alice", "GET", "/api/user/api-keys")["data"][0]["key_id"]
    foreign = world.call("bob", "DELETE", f"/api/user/api-keys/{own}")
    assert visible(foreign) == visible(world.call("bob", "DELETE", f"/api/user/api-keys/key_{MISSING}"))
    assert code(foreign) == (404, "not_found")


@pytest.mark.parametrize("size", [10 * MEGABYTE + 1, 7 * MEGABYTE], ids=["limit of the gateway", "limit of Lambda"])
def test_body_over_a_limit_returns_too_large(world: World, journey: Journey, size: int) -> None:
    body = {"resource_id": journey.resource["resource_id"], "inputs": {"prompt": "x" * size}}
    chats = len(world.fake.chat_requests)
    assert code(world.call("alice", "POST", "/api/execute", json.dumps(body).encode())) == (413, "too_large")
    assert len(world.fake.chat_requests) == chats
