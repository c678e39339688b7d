"""The caller of a request, and the idempotency key in its headers."""

from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver

from instant.domain.access.identity import Identity, Scope
from instant.domain.executions.idempotency import HEADER


def caller_of(app: APIGatewayRestResolver) -> Identity:
    """The caller as the authorizer identified it; no other part of the request is trusted."""
    context: Mapping[str, Any] = app.current_event.request_context.authorizer or {}
    scopes = str(context.get("scopes") or "").split()
    key_id = str(context.get("key_id") or "") or None
    return Identity(str(context["user_id"]), frozenset(Scope(scope) for scope in scopes), key_id)


def idempotency_key(app: APIGatewayRestResolver) -> str | None:
    """The idempotency key of the request, if there is one."""
    return app.current_event.headers.get(HEADER)
