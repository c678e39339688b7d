"""Create, list and revoke our own API keys."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from instant.domain.access.api_key import ApiKey, mint
from instant.domain.access.identity import Identity, Scope, with_included
from instant.domain.clock import format_time, parse_time
from instant.domain.errors import Forbidden, InProgress, InvalidField, NotFound, Unauthenticated
from instant.domain.page import Page, PageRequest
from instant.domain.secret import Secret
from instant.ports.access.api_keys import ApiKeyStore
from instant.ports.clock import Clock

MAX_LIFETIME = timedelta(days=36_525)
"""A key without expiry needs no date; dates near year 9999 cannot be converted to UTC."""

SECONDS_TO_ANSWER = 5.0
"""Remaining seconds at which a revocation of descendants stops, to be continued by the next request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRequest:
    """A key to create; `replaces` is the id of a key whose idempotency keys it takes over."""

    name: str
    scopes: frozenset[Scope]
    expires_at: datetime | None = None
    replaces: str | None = None


def create_key(
    request: KeyRequest, caller: Identity, store: ApiKeyStore, clock: Clock, *, most: int
) -> tuple[Secret, ApiKey]:
    """Create a key, which is shown once; it has no scope that the caller lacks, and ends no later than its parent."""
    if missing := sorted(with_included(request.scopes) - caller.scopes):
        raise Forbidden(f"A key cannot have scopes that you lack: {', '.join(missing)}.")
    now = clock.now()
    parent = _parent(caller, now, store)
    secret, key = mint(
        user_id=caller.user_id,
        name=request.name,
        scopes=request.scopes,
        now=now,
        expires_at=_end(request.expires_at, now, parent),
        parent=parent,
        replaced=_replaced(request.replaces, caller, store) if request.replaces else None,
    )
    store.create(key, most=most)
    return secret, key


def list_keys(caller: Identity, page: PageRequest, store: ApiKeyStore, *, revoked: bool = False) -> Page[ApiKey]:
    """The caller's keys, newest first; revoked ones only on request."""
    return store.of_user(caller.user_id, page, revoked=revoked)


def revoke_key(key_id: str, caller: Identity, store: ApiKeyStore, clock: Clock) -> ApiKey:
    """Revoke one of the caller's keys; the authorizer's cache may accept it for up to 60 s."""
    key = _own(key_id, caller, store)
    store.revoke(key, format_time(clock.now()))
    return key


def revoke_with_descendants(
    key_id: str, caller: Identity, store: ApiKeyStore, clock: Clock, seconds_left: Callable[[], float]
) -> None:
    """Revoke a key and all that were created with it, directly or indirectly.

    The key is revoked first, so that it creates no more. Its descendants are read again until there are none: one of
    them may have created another meanwhile. Repeating the request continues where time ran out.
    """
    key = revoke_key(key_id, caller, store, clock)
    while found := store.descendants(key):
        for each in found:
            if seconds_left() < SECONDS_TO_ANSWER:
                raise InProgress("Not all descendants are revoked yet. Send the same request again.", retry_after=1)
            store.revoke(each, format_time(clock.now()))


def _replaced(key_id: str, caller: Identity, store: ApiKeyStore) -> ApiKey:
    try:
        return _own(key_id, caller, store)
    except NotFound:
        raise InvalidField.named("replaces", "must be the id of one of your API keys") from None


def _own(key_id: str, caller: Identity, store: ApiKeyStore) -> ApiKey:
    key = store.find(key_id)
    if key is None or key.user_id != caller.user_id:
        raise NotFound.of("API key")
    return key


def _parent(caller: Identity, now: datetime, store: ApiKeyStore) -> ApiKey | None:
    """The API key that the caller uses; None for an access token."""
    if caller.key_id is None:
        return None
    key = store.find(caller.key_id)
    if key is None or not key.is_valid(now):
        raise Unauthenticated("The API key was revoked or has expired. Use another one.")
    return key


def _end(wanted: datetime | None, now: datetime, parent: ApiKey | None) -> str | None:
    """When the new key expires: as requested, or with its parent."""
    latest = parent.expires_at if parent else None
    if wanted is None:
        return latest
    if wanted <= now:
        raise InvalidField.named("expires_at", "is in the past")
    if wanted > now + MAX_LIFETIME:
        raise InvalidField.named(
            "expires_at", "is more than 100 years ahead; leave it out for a key that does not expire"
        )
    if latest is not None and wanted > parse_time(latest):
        raise InvalidField.named("expires_at", f"is later than {latest}, when the API key that you use expires")
    return format_time(wanted)
