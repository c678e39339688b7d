"""Identify the caller of a bearer token: an API key, or an access token of the trusted issuer."""

import logging

from instant.domain.access.api_key import PREFIX, ApiKey, hash_of, is_well_formed
from instant.domain.access.identity import Identity, Scope
from instant.domain.access.token import TOKEN_SCOPES
from instant.domain.errors import Unauthenticated
from instant.ports.access.api_keys import ApiKeyStore
from instant.ports.access.token_verifier import TokenVerifier
from instant.ports.clock import Clock

_log = logging.getLogger(__name__)


def authorize(
    header: str,
    store: ApiKeyStore,
    clock: Clock,
    tokens: TokenVerifier | None = None,
    admins: frozenset[str] = frozenset(),
) -> Identity:
    """The caller of an `Authorization` header; raises `Unauthenticated` without a valid key or token.

    Without `tokens`, only API keys are accepted. Tokens of the subjects in `admins` also have the scope admin.
    """
    scheme, _, text = header.strip().partition(" ")
    if scheme.lower() != "bearer":
        raise _unknown()
    text = text.strip()
    if tokens and not text.startswith(PREFIX):
        return _bearer_of_token(text, tokens, admins)
    return _bearer_of_key(text, store, clock)


def _bearer_of_key(text: str, store: ApiKeyStore, clock: Clock) -> Identity:
    """A mistyped key fails its checksum and causes no table read."""
    key = store.get(hash_of(text)) if is_well_formed(text) else None
    if key is None or not key.is_valid(clock.now()):
        raise _unknown()
    _note_use(key, store, clock)
    return Identity(key.user_id, key.scopes, key_id=key.key_id, expires_at=key.expires_at, namespace=key.namespace)


def _bearer_of_token(text: str, tokens: TokenVerifier, admins: frozenset[str]) -> Identity:
    """Scopes in the token are ignored: a token has the permissions of its user."""
    claims = tokens.verify(text)
    more = frozenset({Scope.ADMIN}) if claims.subject in admins else frozenset()
    return Identity(claims.user_id, TOKEN_SCOPES | more, expires_at=claims.expires_at)


def _unknown() -> Unauthenticated:
    return Unauthenticated("Send a valid API key (x4k_live_…) or access token as Authorization: Bearer …")


def _note_use(key: ApiKey, store: ApiKeyStore, clock: Clock) -> None:
    """Record the last use once per hour; a failed write does not reject the request."""
    hour = key.unnoted_use(clock.now())
    if hour is None:
        return
    try:
        store.note_use(key, hour)
    except Exception:
        _log.exception("the use of a key was not recorded")
