"""The API Gateway authorizer: authenticates a bearer token and returns the user and scopes."""

from typing import Any

from instant.adapters.access.api_keys import DynamoApiKeyStore
from instant.adapters.access.token_verifier import OidcTokenVerifier
from instant.adapters.clock import SystemClock
from instant.domain.access.identity import Identity
from instant.domain.errors import Unauthenticated
from instant.entrypoints.observability import quiet_libraries
from instant.entrypoints.scopes import authorization_of
from instant.settings import AuthorizerSettings
from instant.use_cases.access.authorize import authorize

quiet_libraries()
settings = AuthorizerSettings.load()
store = DynamoApiKeyStore(settings.api_keys_table)
clock = SystemClock()
issuer = (settings.jwt_issuer, settings.jwt_audience, settings.jwt_jwks_url)
tokens = OidcTokenVerifier(*issuer, clock) if settings.jwt_issuer else None


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Allow the caller all routes of the stage, since the gateway caches the policy for all of them."""
    try:
        caller = authorize(authorization_of(event), store, clock, tokens, settings.admins)
    except Unauthenticated:
        raise Exception("Unauthorized") from None  # the only message that the gateway maps to a 401
    return _policy(caller, event["methodArn"])


def _policy(caller: Identity, method_arn: str) -> dict[str, Any]:
    ends = {"expires_at": caller.expires_at} if caller.expires_at else {}
    api, stage = method_arn.split("/")[:2]
    return {
        "principalId": caller.user_id,
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": f"{api}/{stage}/*"}],
        },
        "context": {
            "user_id": caller.user_id,
            "scopes": " ".join(sorted(caller.scopes)),
            "key_id": caller.key_id or "",
            "namespace": caller.idempotency_namespace,
            **ends,
        },
    }
