"""Compares the responses of the API with the model; every difference fails."""

from typing import Any

from instant.domain.access.identity import handle_of
from tests.fuzz.world import USERS, Made, World
from tests.integration.app import App

_RUNS = "EXECUTIONS_TABLE"


ALL_KEYS = {"revoked": "true", "limit": "200"}
"""The query for all API keys, revoked ones included."""


def inspect(app: App, world: World, user: str) -> None:
    """Compare everything that this user can read."""
    _inspect_lists(app, world, user)
    for made in world.resources.values():
        inspect_resource(app, world, user, made.resource_id)
    _inspect_history(app, world, user)
    listed = app.call("GET", "/api/user/api-keys", user=user, query=ALL_KEYS).json["data"]
    found = {row["key_id"]: row["revoked_at"] is not None for row in listed}
    assert found == {key: key in world.revoked for key, owner in world.api_keys.items() if owner == user}
    assert integration_of(app, user) == _integration(world, user)


def inspect_resource(app: App, world: World, user: str, resource_id: str) -> None:
    """Compare one resource; other users get the same response as for a missing one."""
    answer = app.call("GET", f"/api/resources/{resource_id}", user=user)
    made = world.resources.get(resource_id)
    if made is None or not made.visible_to(user):
        missing = app.call("GET", "/api/resources/res_none", user=user)
        assert (answer.status, answer.text) == (404, missing.text)
        return
    body, stats = answer.json, answer.json["stats"]
    assert facts_of(body) == made
    assert ("config" in body) == (user == made.owner)
    calls, successes, failures, cost = world.stats_of(made, user)
    found = (stats["call_count"], stats["success_count_30d"], stats["failure_count_30d"])
    assert found == (calls, successes, failures)
    assert stats.get("cost_usd_30d") == (cost if user == made.owner else None)
    assert body["model_status"] == ("expiring" if world.models[made.model] else "gone")


def facts_of(body: dict[str, Any]) -> Made:
    """A resource of the API in the form of the model."""
    handles = {_handle(user): user for user in USERS}
    owner = handles[body["address"].partition("/")[0]]
    return Made(
        body["resource_id"],
        owner,
        body["name"],
        body["slug"],
        body["visibility"],
        body["ai_model_id"],
        body["revision"],
    )


def integration_of(app: App, user: str) -> tuple[str, bool, bool] | None:
    """The last characters of a user's key, whether it is enabled, and whether it is broken; None without a key."""
    answer = app.call("GET", "/api/user/integrations/openrouter", user=user)
    if answer.status == 404:
        return None
    return answer.json["hint"], answer.json["is_enabled"], answer.json["status"] == "broken"


def rows_of_runs(app: App) -> dict[str, dict[str, Any]]:
    """Every execution in the ledger, by id."""
    return {row["execution_id"]["S"]: row for row in app.table(_RUNS)}


def own_resources(app: App, user: str) -> list[dict[str, Any]]:
    """The resources of a user, newest first."""
    return list(app.call("GET", "/api/resources", query={"limit": "200"}, user=user).json["data"])


def _inspect_lists(app: App, world: World, user: str) -> None:
    assert [facts_of(row) for row in own_resources(app, user)] == world.owned_by(user)
    public = app.call("GET", "/api/resources", query={"listing": "public", "limit": "200"}, user=user)
    assert [facts_of(row) for row in public.json["data"]] == world.public()


def _inspect_history(app: App, world: World, user: str) -> None:
    rows = app.call("GET", "/api/executions", query={"limit": "200"}, user=user).json["data"]
    found = {row["execution_id"]: (row["status"], row["usage"]["cost_usd"]) for row in rows}
    assert found == world.history_of(user)
    assert [row["execution_id"] for row in rows] == sorted(found, reverse=True)


def _integration(world: World, user: str) -> tuple[str, bool, bool] | None:
    known = world.integrations.get(user)
    return (known.key[-4:], known.is_enabled, known.is_broken) if known else None


def _handle(user: str) -> str:
    return handle_of(f"user_{user}")
