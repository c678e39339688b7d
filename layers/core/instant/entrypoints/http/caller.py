"""The caller of a request, and the idempotency key in its headers."""

from aws_lambda_powertools.event_handler import APIGatewayRestResolver

from instant.domain.access.identity import Identity
from instant.domain.executions.idempotency import HEADER
from instant.entrypoints.scopes import identity_of


def caller_of(app: APIGatewayRestResolver) -> Identity:
    """The caller as the authorizer identified it; no other part of the request is trusted."""
    return identity_of(app.current_event.request_context.authorizer or {})


def idempotency_key(app: APIGatewayRestResolver) -> str | None:
    """The idempotency key of the request, if there is one."""
    return app.current_event.headers.get(HEADER)
