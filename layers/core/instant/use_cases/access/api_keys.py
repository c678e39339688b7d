"""Make, list and revoke our own API keys."""

from datetime import datetime, timedelta

from instant.domain.access.api_key import ApiKey, mint
from instant.domain.access.identity import Identity, Scope
from instant.domain.clock import format_time
from instant.domain.errors import Forbidden, InvalidField, NotFound
from instant.domain.secret import Secret
from instant.ports.access.api_keys import ApiKeyStore
from instant.ports.clock import Clock

MAX_LIFETIME = timedelta(days=36_525)
"""A key without an end needs no date; dates near the calendar's own end cannot be written in UTC."""


def create_key(
    *,
    name: str,
    scopes: frozenset[Scope],
    expires_at: datetime | None,
    caller: Identity,
    store: ApiKeyStore,
    clock: Clock,
) -> tuple[Secret, ApiKey]:
    """A fresh key, to be shown this once; it never carries a scope that its maker lacks."""
    caller.require(Scope.MANAGE)
    if missing := sorted(scopes - caller.scopes):
        raise Forbidden(f"A key cannot have scopes that you lack: {', '.join(missing)}.")
    now = clock.now()
    if expires_at is not None and expires_at <= now:
        raise InvalidField.named("expires_at", "lies in the past")
    if expires_at is not None and expires_at > now + MAX_LIFETIME:
        raise InvalidField.named("expires_at", "lies more than a century ahead; leave it out for a key without an end")
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
    caller.require(Scope.MANAGE)
    return store.of_user(caller.user_id)


def revoke_key(key_id: str, caller: Identity, store: ApiKeyStore, clock: Clock) -> None:
    """Close one of the caller's keys; it stops within the authorizer's 60 s of memory."""
    caller.require(Scope.MANAGE)
    key = store.find(key_id)
    if key is None or key.user_id != caller.user_id:
        raise NotFound.of("API key")
    store.revoke(key, format_time(clock.now()))
