"""Make, list and revoke our own API keys."""

from datetime import datetime, timedelta

from instant.domain.access.api_key import ApiKey, mint
from instant.domain.access.identity import Identity, Scope, with_included
from instant.domain.clock import format_time
from instant.domain.errors import Forbidden, InvalidField, NotFound
from instant.domain.secret import Secret
from instant.ports.access.api_keys import ApiKeyStore
from instant.ports.clock import Clock

MAX_LIFETIME = timedelta(days=36_525)
"""A key without expiry needs no date; dates near year 9999 cannot be converted to UTC."""


def create_key(
    *,
    name: str,
    scopes: frozenset[Scope],
    expires_at: datetime | None,
    caller: Identity,
    store: ApiKeyStore,
    clock: Clock,
) -> tuple[Secret, ApiKey]:
    """Create a key, which is shown once; it cannot have a scope that the caller lacks."""
    if missing := sorted(with_included(scopes) - caller.scopes):
        raise Forbidden(f"A key cannot have scopes that you lack: {', '.join(missing)}.")
    now = clock.now()
    if expires_at is not None and expires_at <= now:
        raise InvalidField.named("expires_at", "is in the past")
    if expires_at is not None and expires_at > now + MAX_LIFETIME:
        raise InvalidField.named(
            "expires_at", "is more than 100 years ahead; leave it out for a key that does not expire"
        )
    secret, key = mint(
        user_id=caller.user_id,
        name=name,
        scopes=scopes,
        now=now,
        expires_at=format_time(expires_at) if expires_at else None,
    )
    store.put(key)
    return secret, key


def list_keys(caller: Identity, store: ApiKeyStore) -> list[ApiKey]:
    """The caller's keys, newest first, revoked ones too."""
    return store.of_user(caller.user_id)


def revoke_key(key_id: str, caller: Identity, store: ApiKeyStore, clock: Clock) -> None:
    """Revoke one of the caller's keys; the authorizer's cache may accept it for up to 60 s."""
    key = store.find(key_id)
    if key is None or key.user_id != caller.user_id:
        raise NotFound.of("API key")
    store.revoke(key, format_time(clock.now()))
