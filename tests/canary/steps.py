"""One request for every route, with the data that it needs to succeed."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from instant.domain.clock import STREAM_LEASE_SECONDS, format_time
from instant.domain.ids import new_id
from tests.canary.client import PLATFORM_KEY, SERVICE, Canary, Request, run_of
from tests.fakes.builders import an_opening
from tests.integration.app import CALLBACKS
from tests.integration.ledgers import a_ledger
from tests.integration.synced_app import MODEL


def _with_key(method: str, suffix: str = "", body: Any = None) -> Callable[[Canary], Request]:
    def step(canary: Canary) -> Request:
        canary.connect()
        return Request(method, SERVICE + suffix, body)

    return step


def _with_platform_key(method: str, body: Any = None, end: str = "") -> Callable[[Canary], Request]:
    def step(canary: Canary) -> Request:
        canary.done("POST", PLATFORM_KEY, {"api_key": canary.key})
        return Request(method, PLATFORM_KEY + end, body)

    return step


def _execute(canary: Canary) -> Request:
    canary.connect()
    return Request("POST", "/api/execute", run_of(canary.image_resource))


def _cancel(canary: Canary) -> Request:
    """Open the row of a running stream of the same user, so that it can be cancelled."""
    known, now = canary.image_execution["execution_id"], datetime.now(UTC)
    canary.tap.start()
    users = {row["execution_id"]["S"]: row["user_id"]["S"] for row in canary.app.table("EXECUTIONS_TABLE")}
    lease_end = format_time(now + timedelta(seconds=STREAM_LEASE_SECONDS))
    facts = {"user_id": users[known], "created_at": format_time(now), "lease_expires_at": lease_end}
    opening = an_opening(new_id("exe", now), streamed=True, **facts)
    a_ledger(canary.app).open(opening)
    return Request("POST", f"/api/executions/{opening.execution_id}/cancel")


def _execute_stream(canary: Canary) -> Request:
    return replace(_execute(canary), target="/api/execute/stream")


def _openai_chat(canary: Canary) -> Request:
    canary.connect()
    messages = [{"role": "user", "content": "Say hello."}]
    headers = {"X-Stainless-Retry-Count": "0"}
    return Request("POST", "/v1/chat/completions", {"model": canary.image_resource, "messages": messages}, headers)


def _openai_responses(canary: Canary) -> Request:
    canary.connect()
    body = {"model": canary.image_resource, "input": "Say hello.", "stream": True}
    return Request("POST", "/v1/responses", body, {"X-Stainless-Retry-Count": "0"})


def _openai_embeddings(canary: Canary) -> Request:
    canary.connect()
    body = {"model": canary.embeddings_resource, "input": "hello"}
    return Request("POST", "/v1/embeddings", body, {"X-Stainless-Retry-Count": "1"})


def _plain(method: str, target: str, body: Any = None) -> Callable[[Canary], Request]:
    return lambda canary: Request(method, target, body)


def _cold_list(canary: Canary) -> Request:
    """A cold start, so that the function reads the catalog."""
    canary.app.modules.pop("CatalogFunction", None)
    return Request("GET", "/api/models?limit=2")


_NEW = {"resource_type": "openrouter_instant", "name": "Haiku", "config": {"model": MODEL}}
_DRAFT = {"resource_type": "openrouter_instant", "config": {"model": MODEL}, "inputs": {"prompt": "hello"}}
_ESTIMATE = {"model": MODEL, "prompt": "hello", "completion_tokens": 10}

STEPS: dict[tuple[str, str], Callable[[Canary], Request]] = {
    ("POST", "/api/execute"): _execute,
    ("POST", "/api/execute/stream"): _execute_stream,
    ("POST", "/v1/chat/completions"): _openai_chat,
    ("POST", "/v1/responses"): _openai_responses,
    ("POST", "/v1/embeddings"): _openai_embeddings,
    ("GET", "/v1/models"): _plain("GET", "/v1/models"),
    ("GET", "/v1/models/{model}"): lambda canary: Request("GET", f"/v1/models/{canary.image_resource}"),
    ("GET", "/v1/models/{model}/{slug}"): lambda canary: Request(
        "GET", f"/v1/models/{canary.done('GET', f'/api/resources/{canary.image_resource}')['address']}"
    ),
    ("GET", "/api/executions"): _plain("GET", "/api/executions?limit=2"),
    ("GET", "/api/executions/{execution_id}"): lambda canary: Request(
        "GET", f"/api/executions/{canary.image_execution['execution_id']}"
    ),
    ("GET", "/api/executions/{execution_id}/output"): lambda canary: Request(
        "GET", f"/api/executions/{canary.image_execution['execution_id']}/output"
    ),
    ("POST", "/api/executions/{execution_id}/cancel"): _cancel,
    ("GET", "/api/executions/{execution_id}/stream"): lambda canary: Request(
        "GET", f"/api/executions/{canary.image_execution['execution_id']}/stream"
    ),
    ("GET", "/api/usage"): _plain("GET", "/api/usage?by=api_key&format=csv"),
    ("GET", "/api/usage/what-if"): _plain("GET", f"/api/usage/what-if?model={MODEL}"),
    ("GET", "/api/budgets"): _plain("GET", "/api/budgets"),
    ("PUT", "/api/budgets"): lambda canary: Request(
        "PUT", "/api/budgets", {"scope": "api_key", "id": canary.second_key, "daily_usd": "5", "monthly_usd": None}
    ),
    ("GET", "/api/images/{image_id}"): lambda canary: Request(
        "GET", f"/api/images/{canary.image_execution['output']['urls'][0].rpartition('/')[2]}"
    ),
    ("GET", "/api/resource-types"): _plain("GET", "/api/resource-types"),
    ("GET", "/api/resources"): _plain("GET", "/api/resources?listing=public&sort=most_used&q=haiku"),
    ("POST", "/api/resources"): _plain("POST", "/api/resources", _NEW),
    ("GET", "/api/resources/{resource_id}"): lambda canary: Request("GET", f"/api/resources/{canary.image_resource}"),
    ("PATCH", "/api/resources/{resource_id}"): lambda canary: Request(
        "PATCH", f"/api/resources/{canary.image_resource}", {"visibility": "public"}
    ),
    ("DELETE", "/api/resources/{resource_id}"): lambda canary: Request("DELETE", f"/api/resources/{canary.resource()}"),
    ("POST", "/api/resources/preview"): _plain("POST", "/api/resources/preview", _DRAFT),
    ("GET", "/api/user/integrations/{service}"): _with_key("GET"),
    ("POST", "/api/user/integrations/{service}"): lambda canary: Request("POST", SERVICE, {"api_key": canary.key}),
    ("POST", "/api/user/integrations/{service}/connect"): _plain(
        "POST", f"{SERVICE}/connect", {"callback_url": CALLBACKS[0]}
    ),
    ("POST", "/api/user/integrations/{service}/connect/complete"): lambda canary: Request(
        "POST", f"{SERVICE}/connect/complete", canary.exchange_grant()
    ),
    ("PATCH", "/api/user/integrations/{service}"): _with_key("PATCH", body={"is_enabled": False}),
    ("DELETE", "/api/user/integrations/{service}"): _with_key("DELETE"),
    ("POST", "/api/user/integrations/{service}/test"): _with_key("POST", "/test"),
    ("GET", "/api/admin/integrations/{service}"): _with_platform_key("GET"),
    ("POST", "/api/admin/integrations/{service}"): lambda canary: Request(
        "POST", PLATFORM_KEY, {"api_key": canary.key}
    ),
    ("PATCH", "/api/admin/integrations/{service}"): _with_platform_key("PATCH", {"is_enabled": False}),
    ("DELETE", "/api/admin/integrations/{service}"): _with_platform_key("DELETE"),
    ("POST", "/api/admin/integrations/{service}/test"): _with_platform_key("POST", end="/test"),
    ("GET", "/api/user/api-keys"): _plain("GET", "/api/user/api-keys"),
    ("POST", "/api/user/api-keys"): _plain("POST", "/api/user/api-keys", {"name": "spare", "scopes": ["execute"]}),
    ("DELETE", "/api/user/api-keys/{key_id}"): lambda canary: Request(
        "DELETE", f"/api/user/api-keys/{canary.second_key}"
    ),
    ("GET", "/api/models"): _cold_list,
    ("GET", "/api/models/{author}/{slug}"): _plain("GET", f"/api/models/{MODEL}"),
    ("GET", "/api/models/changes"): _plain("GET", "/api/models/changes?limit=2"),
    ("GET", "/api/models/{author}/{slug}/history"): _plain("GET", f"/api/models/{MODEL}/history"),
    ("POST", "/api/models/estimate"): _plain("POST", "/api/models/estimate", _ESTIMATE),
    ("GET", "/api/models/{author}/{slug}/endpoints"): lambda canary: Request(
        "GET", f"/api/models/{canary.synced_model}/endpoints"
    ),
    ("GET", "/api/admin/sync-models"): _plain("GET", "/api/admin/sync-models"),
    ("POST", "/api/admin/sync-models"): _plain("POST", "/api/admin/sync-models", {"accept_losses": True}),
    ("GET", "/api/openapi.json"): _plain("GET", "/api/openapi.json"),
}
"""The request of each route of the template; a route without one fails the test."""
