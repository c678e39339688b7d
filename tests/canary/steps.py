"""One request to every route, made so that it succeeds and has something to do."""

from collections.abc import Callable
from typing import Any

from tests.canary.walk import PLATFORM_S, SERVICE, Ask, Walk, run_of
from tests.integration.app import CALLBACKS
from tests.integration.synced_app import MODEL


def _on_connection(method: str, suffix: str = "", body: Any = None) -> Callable[[Walk], Ask]:
    def step(walk: Walk) -> Ask:
        walk.connect()
        return Ask(method, SERVICE + suffix, body)

    return step


def _on_platform_s(method: str, body: Any = None) -> Callable[[Walk], Ask]:
    def step(walk: Walk) -> Ask:
        walk.done("POST", PLATFORM_S, {"api_key": walk.key})
        return Ask(method, PLATFORM_S, body)

    return step


def _execute(walk: Walk) -> Ask:
    walk.connect()
    return Ask("POST", "/api/execute", run_of(walk.painter))


def _plain(method: str, target: str, body: Any = None) -> Callable[[Walk], Ask]:
    return lambda walk: Ask(method, target, body)


def _cold_list(walk: Walk) -> Ask:
    """A function that has just started has to read the catalog."""
    walk.app.modules.pop("CatalogFunction", None)
    return Ask("GET", "/api/models?limit=2")


_NEW = {"resource_type": "openrouter_instant", "name": "Haiku", "config": {"model": MODEL}}
_DRAFT = {"resource_type": "openrouter_instant", "config": {"model": MODEL}, "inputs": {"prompt": "hello"}}
_ESTIMATE = {"model": MODEL, "prompt": "hello", "completion_tokens": 10}

STEPS: dict[tuple[str, str], Callable[[Walk], Ask]] = {
    ("POST", "/api/execute"): _execute,
    ("GET", "/api/executions"): _plain("GET", "/api/executions?limit=2"),
    ("GET", "/api/executions/{execution_id}"): lambda walk: Ask(
        "GET", f"/api/executions/{walk.painting['execution_id']}"
    ),
    ("GET", "/api/usage"): _plain("GET", "/api/usage?by=api_key&format=csv"),
    ("GET", "/api/usage/what-if"): _plain("GET", f"/api/usage/what-if?model={MODEL}"),
    ("GET", "/api/budgets"): _plain("GET", "/api/budgets"),
    ("PUT", "/api/budgets"): lambda walk: Ask(
        "PUT", "/api/budgets", {"scope": "api_key", "id": walk.spare, "daily_usd": "5", "monthly_usd": None}
    ),
    ("GET", "/api/images/{image_id}"): lambda walk: Ask(
        "GET", f"/api/images/{walk.painting['output']['urls'][0].rpartition('/')[2]}"
    ),
    ("GET", "/api/resource-types"): _plain("GET", "/api/resource-types"),
    ("GET", "/api/resources"): _plain("GET", "/api/resources?listing=public&sort=most_used&q=haiku"),
    ("POST", "/api/resources"): _plain("POST", "/api/resources", _NEW),
    ("GET", "/api/resources/{resource_id}"): lambda walk: Ask("GET", f"/api/resources/{walk.painter}"),
    ("PATCH", "/api/resources/{resource_id}"): lambda walk: Ask(
        "PATCH", f"/api/resources/{walk.painter}", {"visibility": "public"}
    ),
    ("DELETE", "/api/resources/{resource_id}"): lambda walk: Ask("DELETE", f"/api/resources/{walk.resource()}"),
    ("POST", "/api/resources/preview"): _plain("POST", "/api/resources/preview", _DRAFT),
    ("GET", "/api/user/integrations/{service}"): _on_connection("GET"),
    ("POST", "/api/user/integrations/{service}"): lambda walk: Ask("POST", SERVICE, {"api_key": walk.key}),
    ("POST", "/api/user/integrations/{service}/connect"): _plain(
        "POST", f"{SERVICE}/connect", {"callback_url": CALLBACKS[0]}
    ),
    ("POST", "/api/user/integrations/{service}/connect/complete"): lambda walk: Ask(
        "POST", f"{SERVICE}/connect/complete", walk.grant()
    ),
    ("PATCH", "/api/user/integrations/{service}"): _on_connection("PATCH", body={"is_enabled": False}),
    ("DELETE", "/api/user/integrations/{service}"): _on_connection("DELETE"),
    ("POST", "/api/user/integrations/{service}/test"): _on_connection("POST", "/test"),
    ("GET", "/api/admin/integrations/{service}"): _on_platform_s("GET"),
    ("POST", "/api/admin/integrations/{service}"): lambda walk: Ask("POST", PLATFORM_S, {"api_key": walk.key}),
    ("PATCH", "/api/admin/integrations/{service}"): _on_platform_s("PATCH", {"is_enabled": False}),
    ("DELETE", "/api/admin/integrations/{service}"): _on_platform_s("DELETE"),
    ("GET", "/api/user/api-keys"): _plain("GET", "/api/user/api-keys"),
    ("POST", "/api/user/api-keys"): _plain("POST", "/api/user/api-keys", {"name": "spare", "scopes": ["execute"]}),
    ("DELETE", "/api/user/api-keys/{key_id}"): lambda walk: Ask("DELETE", f"/api/user/api-keys/{walk.spare}"),
    ("GET", "/api/models"): _cold_list,
    ("GET", "/api/models/{author}/{slug}"): _plain("GET", f"/api/models/{MODEL}"),
    ("GET", "/api/models/changes"): _plain("GET", "/api/models/changes?limit=2"),
    ("GET", "/api/models/{author}/{slug}/history"): _plain("GET", f"/api/models/{MODEL}/history"),
    ("POST", "/api/models/estimate"): _plain("POST", "/api/models/estimate", _ESTIMATE),
    ("GET", "/api/models/{author}/{slug}/endpoints"): lambda walk: Ask("GET", f"/api/models/{walk.watched}/endpoints"),
    ("POST", "/api/admin/sync-models"): _plain("POST", "/api/admin/sync-models", {"accept_losses": True}),
    ("GET", "/api/openapi.json"): _plain("GET", "/api/openapi.json"),
}
"""How each route of the template is walked; a route without a step fails the test."""
