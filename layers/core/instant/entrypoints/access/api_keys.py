"""API keys: request and response bodies."""

from typing import Annotated, Any, TypedDict

from pydantic import Field

from instant.domain.access.api_key import ApiKey
from instant.domain.access.identity import Scope
from instant.domain.secret import Secret
from instant.entrypoints.http.fields import Body, Choice, Id, Moment, Name, Time


def _repeatable(schema: dict[str, Any]) -> None:
    """Remove duplicate scopes."""
    del schema["uniqueItems"]


class NewApiKey(Body):
    """An API key to create; without an expiry it is valid until it is revoked, or until its parent expires."""

    name: Name
    scopes: Annotated[frozenset[Choice[Scope]], Field(strict=False, min_length=1, json_schema_extra=_repeatable)]
    expires_at: Moment | None = None
    replaces: Id | None = Field(
        None, description="Id of a key of yours: retries of its calls with their Idempotency-Key are recognized."
    )


class ApiKeySummary(TypedDict):
    """An API key: never the key, only its last four characters."""

    key_id: str
    name: str
    last4: str
    scopes: list[Scope]
    created_at: Time
    expires_at: Time | None
    revoked_at: Time | None
    last_used_at: Annotated[str | None, Field(description="The hour of its last use.")]
    parent_id: Annotated[str | None, Field(description="The key with which it was created; null: an access token.")]
    replaces: str | None


class MintedApiKey(ApiKeySummary):
    """A new key, which is shown only once."""

    api_key: str


def api_key_view(key: ApiKey) -> ApiKeySummary:
    """An API key: never the key, only its last four characters."""
    return {
        "key_id": key.key_id,
        "name": key.name,
        "last4": key.last4,
        "scopes": sorted(key.scopes),
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
        "last_used_at": key.last_used_at,
        "parent_id": key.parent_id,
        "replaces": key.replaces,
    }


def minted_view(secret: Secret, key: ApiKey) -> MintedApiKey:
    """A new key, which is shown only once."""
    return {**api_key_view(key), "api_key": secret.reveal()}
