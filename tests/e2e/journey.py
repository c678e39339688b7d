"""The user journey from an empty stack: sync, connect, create, execute, read; the response of each step is kept."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from instant.adapters.executions.ledger_rows import opening_row
from tests.e2e.world import OPENROUTER_KEYS, World
from tests.fakes.builders import an_opening
from tests.local.toy.calling import call

LONG = "long " * 4_000
"""An answer that is too long for a row, and is stored in the bucket."""


@dataclass(frozen=True)
class Journey:
    """The responses of the steps; the executions are two of alice, one of bob, and one of alice with a long answer."""

    connected: Any
    resource: Any
    by_id: Any
    by_address: Any
    by_bob: Any
    long: Any
    detail: Any
    own_detail: Any
    tested: Any


def run_journey(world: World) -> Journey:
    """Run the journey as alice, bob and admin."""
    world.sync()
    connected = world.connect("alice")
    world.connect("bob")
    resource = world.resource("alice", visibility="public", slug="haiku")
    by_id = _run(world, "alice", resource_id=resource["resource_id"])
    by_address = _run(world, "alice", resource=resource["address"])
    by_bob = _run(world, "bob", resource_id=resource["resource_id"])
    detail = world.done(200, "bob", "GET", f"/api/resources/{resource['resource_id']}")
    own_detail = world.done(200, "alice", "GET", f"/api/resources/{resource['resource_id']}")
    world.fake.script(200, _long_answer(resource["ai_model_id"]))
    long = _run(world, "alice", resource_id=resource["resource_id"])
    tested = world.done(200, "alice", "POST", "/api/user/integrations/openrouter/test")
    return Journey(connected, resource, by_id, by_address, by_bob, long, detail, own_detail, tested)


def call_remaining_routes(world: World, journey: Journey) -> None:
    """Call the routes and use the storage that the journey does not need."""
    spare = world.resource("bob", name="Spare")["resource_id"]
    world.done(200, "bob", "PATCH", f"/api/resources/{spare}", {"slug": "moved"})
    world.done(204, "bob", "DELETE", f"/api/resources/{spare}")
    for query in (
        "listing=mine",
        "listing=public",
        "listing=public&sort=most_used",
        "listing=public&sort=success_rate",
    ):
        world.done(200, "alice", "GET", f"/api/resources?{query}")
    painter = _create_image(world, "alice")
    world.done(200, None, "GET", "/api/resource-types")
    world.done(200, None, "GET", f"/api/models/{journey.resource['ai_model_id']}")
    world.sync()
    world.done(200, None, "GET", f"/api/models/{journey.resource['ai_model_id']}/endpoints")
    (newest,) = world.done(200, None, "GET", "/api/models/changes?limit=1")["data"]
    for path in ("/api/models", f"/api/models/{newest['openrouter_id']}"):
        world.done(200, None, "GET", f"{path}?at={newest['at']}")
    for model in (journey.resource["ai_model_id"], "nobody/none"):
        world.done(200 if "/none" not in model else 404, None, "GET", f"/api/models/{model}/history")
    estimate = {"model": journey.resource["ai_model_id"], "prompt_tokens": 10, "completion_tokens": 10}
    world.done(200, None, "POST", "/api/models/estimate", estimate)
    world.done(200, "alice", "GET", "/api/executions")
    what_if = world.done(200, "alice", "GET", "/api/usage/what-if?model=meadow/lark")
    assert what_if["compared"]["executions"] > 0
    for execution in (journey.by_id, journey.long):
        world.done(200, "alice", "GET", f"/api/executions/{execution['execution_id']}")
    _retry_with_key(world, journey)
    _switch_to_successor(world)
    _reject_key(world, journey)
    for method, body in (("GET", None), ("PATCH", {"is_enabled": True})):
        world.done(200, "bob", method, "/api/user/integrations/openrouter", body)
    world.done(204, "bob", "DELETE", "/api/user/integrations/openrouter")
    assert world.connect_in_browser("bob")["hint"] == OPENROUTER_KEYS["bob"][-4:]
    made = world.done(201, "alice", "POST", "/api/user/api-keys", {"name": "spare", "scopes": ["execute"]})
    world.keys["spare"] = made["api_key"]
    world.done(200, "alice", "GET", "/api/user/api-keys")
    _use_execute_only_key(world, painter)
    _revoke_descendants(world)
    _use_budgets(world, {"resource": journey.resource["resource_id"], "api_key": made["key_id"]})
    _reconcile(world, journey)
    _use_platform_key(world)
    world.done(204, "alice", "DELETE", f"/api/user/api-keys/{made['key_id']}")


def _create_image(world: World, user: str, painter: str | None = None) -> str:
    """Create an image, and download it through its presigned URL; returns the resource."""
    config = {"model": "juniper/fresco-2", "max_tokens": 1_000}
    resource = painter or str(world.resource(user, name="Painter", config=config)["resource_id"])
    (url,) = _run(world, user, resource_id=resource)["output"]["urls"]
    shown = world.call(user, "GET", urlsplit(url).path.removeprefix(f"/{world.stack.plan.stage}"))
    assert shown.status == 302, shown.body
    link = urlsplit(shown.headers["Location"])
    image = call(f"{link.scheme}://{link.netloc}", "GET", f"{link.path}?{link.query}")
    assert image.body.startswith(b"\x89PNG"), image.status
    return resource


def _use_execute_only_key(world: World, painter: str) -> None:
    """Execute with the key `spare`, which sees its own executions and images only."""
    _create_image(world, "spare", painter)
    own = world.done(200, "spare", "GET", "/api/executions")["data"]
    assert [execution["resource_id"] for execution in own] == [painter]
    world.done(200, "spare", "GET", f"/api/executions/{own[0]['execution_id']}")


def _revoke_descendants(world: World) -> None:
    """Revoke a key together with the key that was created with it."""
    body = {"name": "parent", "scopes": ["execute", "read", "manage"]}
    parent = world.done(201, "alice", "POST", "/api/user/api-keys", body)
    world.keys["parent"] = parent["api_key"]
    world.keys["child"] = world.done(201, "parent", "POST", "/api/user/api-keys", body)["api_key"]
    world.done(204, "alice", "DELETE", f"/api/user/api-keys/{parent['key_id']}?descendants=true")
    listed = world.done(200, "alice", "GET", "/api/user/api-keys?revoked=true")["data"]
    assert sum(key["name"] == "parent" for key in listed) == 2


def _retry_with_key(world: World, journey: Journey) -> None:
    """Execute twice with one idempotency key: the second response is the same, byte for byte."""
    body = {"resource_id": journey.resource["resource_id"], "inputs": {"prompt": "A long story, please."}}
    world.fake.script(200, _long_answer(journey.resource["ai_model_id"]))
    first, second = (
        world.call("alice", "POST", "/api/execute", body, **{"Idempotency-Key": "story-1"}) for _ in range(2)
    )
    assert first.status == 200, first.body
    assert first.body == second.body


def _reconcile(world: World, journey: Journey) -> None:
    """Reconcile an execution with a truncated response (closed), and one that was not sent (deleted)."""
    user = {"scope": "user", "daily_usd": "1", "monthly_usd": None}
    world.done(200, "alice", "PUT", "/api/budgets", user)
    broken = world.execute("alice", "[[fake: truncated]]", resource_id=journey.resource["resource_id"])
    assert broken.json["error"]["code"] == "outcome_unknown", broken.body
    for _ in range(2):  # the first lookup comes before OpenRouter lists the call
        _make_due(world, broken.json["error"]["execution_id"])
        world.stack.fire("ReconcileFunction")
        world.stack.settle()
    shown = world.done(200, "alice", "GET", f"/api/executions/{broken.json['error']['execution_id']}")
    assert (shown["status"], shown["error"]["code"]) == ("DONE", "outcome_unknown")
    assert shown["usage"]["cost_usd"] is not None
    dead = opening_row(an_opening("exe_dead", user_id="user_alice", fingerprint="f" * 64), 90)
    world.stack.client("dynamodb").put_item(TableName=world.name("EXECUTIONS_TABLE"), Item=dead)
    world.stack.fire("ReconcileFunction")
    world.stack.settle()
    world.done(404, "alice", "GET", "/api/executions/exe_dead")
    world.done(200, "alice", "PUT", "/api/budgets", {**user, "daily_usd": None})


def _make_due(world: World, execution_id: str) -> None:
    """Set the due time of an execution to the past."""
    world.stack.client("dynamodb").update_item(
        TableName=world.name("EXECUTIONS_TABLE"),
        Key={"execution_id": {"S": execution_id}},
        UpdateExpression="SET due_at = :due",
        ExpressionAttributeValues={":due": {"S": "2026-01-01T00:00:00.000000Z"}},
    )


def _switch_to_successor(world: World) -> None:
    """Remove a model: its successor serves in its place; then restore it."""
    model = "northwind/gale-70b"
    config = {"model": model, "max_tokens": 100}
    resource = world.resource("alice", name="Gale", config=config, successor_policy="switch")["resource_id"]
    listed = world.fake.catalog
    ending = [{**row, "expiration_date": "2026-01-01"} if row["id"] == model else row for row in listed]
    for catalog in (ending, [row for row in listed if row["id"] != model]):
        world.fake.catalog = catalog
        world.sync()
    (affected,) = world.done(200, "alice", "GET", "/api/resources?affected=true")["data"]
    shown = world.done(200, "alice", "GET", f"/api/resources/{resource}")
    assert (affected["resource_id"], shown["successor"]) == (resource, f"{model}:free")
    preview = {"resource_id": resource, "inputs": {"prompt": "Hello."}}
    assert world.done(200, "alice", "POST", "/api/resources/preview", preview)["request"]["model"] == f"{model}:free"
    _run(world, "alice", resource_id=resource)
    world.fake.catalog = listed
    world.sync()


def _run(world: World, user: str, **which: str) -> Any:
    reply = world.execute(user, "Say hello.", **which)
    assert reply.status == 200, reply.body
    return reply.json


def _use_budgets(world: World, ids: dict[str, str]) -> None:
    """Set budgets of every scope, execute, read them and remove them."""
    names = [{"scope": "user"}, *({"scope": scope, "id": name} for scope, name in ids.items())]
    for name in names:
        world.done(200, "alice", "PUT", "/api/budgets", {**name, "daily_usd": "1", "monthly_usd": "10"})
    world.done(200, "admin", "PUT", "/api/budgets", {"scope": "global", "daily_usd": "8", "monthly_usd": None})
    cost = _run(world, "alice", resource_id=ids["resource"])["usage"]["cost_usd"]
    shown = world.done(200, "alice", "GET", "/api/budgets")["data"]
    assert {row["scope"]: row["day"]["spent_usd"] for row in shown} == {"user": cost, "api_key": "0", "resource": cost}
    world.done(200, "admin", "PUT", "/api/budgets", {"scope": "global", "daily_usd": None, "monthly_usd": None})
    for name in names:
        world.done(200, "alice", "PUT", "/api/budgets", {**name, "daily_usd": None, "monthly_usd": None})


def _use_platform_key(world: World) -> None:
    """Create, read, disable and delete the key of the platform."""
    path = "/api/admin/integrations/openrouter"
    world.done(201, "admin", "POST", path, {"api_key": OPENROUTER_KEYS["alice"]})
    for method, body in (("GET", None), ("PATCH", {"is_enabled": False})):
        world.done(200, "admin", method, path, body)
    world.done(204, "admin", "DELETE", path)


def _reject_key(world: World, journey: Journey) -> None:
    """Revoke the OpenRouter key of bob: it is rejected and marked as broken."""
    world.fake.revoked_keys.add(OPENROUTER_KEYS["bob"])
    rejected = world.execute("bob", "Say hello.", resource_id=journey.resource["resource_id"])
    assert (rejected.status, rejected.json["error"]["code"]) == (409, "credential_rejected")
    shown = world.done(200, "bob", "GET", "/api/user/integrations/openrouter")
    assert shown["status"] == "broken"
    world.fake.revoked_keys.clear()


def _long_answer(model: str) -> bytes:
    message = {"role": "assistant", "content": LONG}
    usage = {"prompt_tokens": 5, "completion_tokens": 4_000, "total_tokens": 4_005, "cost": 0.001}
    choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
    return json.dumps(
        {"id": "gen-long", "model": model, "provider": "Meadow", "choices": choices, "usage": usage}
    ).encode()
