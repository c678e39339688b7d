"""The scopes of every route that needs a token: enforced here, and printed in docs/api.md and the OpenAPI document."""

from collections.abc import Mapping
from typing import Any

from instant.domain.access.identity import Identity, Scope, with_included
from instant.domain.errors import Unauthenticated

_EXECUTE = {Scope.EXECUTE: "yes"}
_READ = {Scope.READ: "yes"}
_MANAGE = {Scope.MANAGE: "yes"}
_ADMIN = {Scope.ADMIN: "yes"}
_OF_KEY = {Scope.EXECUTE: "its own", Scope.READ: "yes"}
_WITHOUT_SETTINGS = {Scope.EXECUTE: "without settings", Scope.READ: "yes"}

SCOPES: Mapping[str, Mapping[Scope, str]] = {
    "POST /api/execute": _EXECUTE,
    "POST /api/execute/stream": _EXECUTE,
    "POST /v1/chat/completions": _EXECUTE,
    "POST /v1/responses": _EXECUTE,
    "POST /v1/embeddings": _EXECUTE,
    "GET /v1/models": _WITHOUT_SETTINGS,
    "GET /v1/models/{model}": _WITHOUT_SETTINGS,
    "GET /v1/models/{model}/{slug}": _WITHOUT_SETTINGS,
    "GET /api/executions": _OF_KEY,
    "GET /api/executions/{execution_id}": _OF_KEY,
    "GET /api/executions/{execution_id}/output": _OF_KEY,
    "GET /api/executions/{execution_id}/stream": _OF_KEY,
    "POST /api/executions/{execution_id}/cancel": {Scope.EXECUTE: "its own"},
    "GET /api/images/{image_id}": _OF_KEY,
    "GET /api/resources": _WITHOUT_SETTINGS,
    "GET /api/resources/{resource_id}": _WITHOUT_SETTINGS,
    "POST /api/resources": _MANAGE,
    "PATCH /api/resources/{resource_id}": _MANAGE,
    "DELETE /api/resources/{resource_id}": _MANAGE,
    "POST /api/resources/preview": _READ,
    "GET /api/usage": _READ,
    "GET /api/usage/what-if": _READ,
    "GET /api/budgets": {Scope.READ: "yes", Scope.ADMIN: "the platform's, too"},
    "PUT /api/budgets": {Scope.MANAGE: "yes", Scope.ADMIN: "the platform's"},
    "GET /api/user/integrations/{service}": _READ,
    "POST /api/user/integrations/{service}": _MANAGE,
    "PATCH /api/user/integrations/{service}": _MANAGE,
    "DELETE /api/user/integrations/{service}": _MANAGE,
    "POST /api/user/integrations/{service}/test": _MANAGE,
    "POST /api/user/integrations/{service}/connect": _MANAGE,
    "POST /api/user/integrations/{service}/connect/complete": _MANAGE,
    "GET /api/user/api-keys": _READ,
    "POST /api/user/api-keys": _MANAGE,
    "DELETE /api/user/api-keys/{key_id}": _MANAGE,
    "GET /api/admin/integrations/{service}": _ADMIN,
    "POST /api/admin/integrations/{service}": _ADMIN,
    "PATCH /api/admin/integrations/{service}": _ADMIN,
    "DELETE /api/admin/integrations/{service}": _ADMIN,
    "POST /api/admin/integrations/{service}/test": _ADMIN,
    "POST /api/admin/sync-models": _ADMIN,
    "GET /api/admin/sync-models": _ADMIN,
}
"""The scopes that allow each route, and what each of them allows there; routes that are not listed are public."""


def what_it_allows(scope: Scope, route: str) -> str:
    """What a token with only this scope may do on a route that needs a token; empty: nothing."""
    allowed, held = SCOPES[route], with_included([scope])
    return allowed.get(scope) or next((allowed[each] for each in sorted(held & allowed.keys())), "")


def identity_of(authorizer: Mapping[str, Any]) -> Identity:
    """The caller in the authorizer's response; one that API Gateway cached can be from an earlier version."""
    scopes = str(authorizer.get("scopes") or "").split()
    key_id = str(authorizer.get("key_id") or "") or None
    namespace = str(authorizer.get("namespace") or "")
    return Identity(str(authorizer["user_id"]), with_included(scopes), key_id, namespace=namespace)


def authorization_of(event: Mapping[str, Any]) -> str:
    """The Authorization header; raises `Unauthenticated` for several, of which parsers choose different ones."""
    one, many = event.get("headers") or {}, event.get("multiValueHeaders") or {}
    found = [value for name, value in one.items() if name.lower() == "authorization"]
    repeated = [value for name, values in many.items() if name.lower() == "authorization" for value in values]
    if len(found) > 1 or len(repeated) > 1:
        raise Unauthenticated("Send one Authorization header.")
    return str(found[0] or "") if found else ""


def require_scope(event: Mapping[str, Any]) -> None:
    """Raise `Forbidden` unless the caller has a scope that allows the route of `event`.

    Several Authorization headers are rejected here, too: API Gateway may have cached the response to one of them. A
    route whose authorizer in the template contradicts `SCOPES` fails closed.
    """
    authorizer = (event.get("requestContext") or {}).get("authorizer")
    route = f"{event['httpMethod']} {event['resource']}"
    if authorizer or route in SCOPES:
        authorization_of(event)
        identity_of(authorizer or {}).require(*SCOPES[route])
