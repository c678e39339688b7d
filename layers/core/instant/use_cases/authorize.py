"""Tell who a bearer token belongs to."""

import logging

from instant.domain.api_key import ApiKey, hash_of, is_well_formed
from instant.domain.errors import Unauthenticated
from instant.domain.identity import Identity
from instant.ports import ApiKeyStore, Clock

_log = logging.getLogger(__name__)


def authorize(header: str, store: ApiKeyStore, clock: Clock) -> Identity:
    """The caller behind an `Authorization` header; `Unauthenticated` for anything but a valid key of ours.

    A mistyped key fails its checksum and never causes a table read.
    """
    scheme, _, token = header.strip().partition(" ")
    if scheme.lower() == "bearer" and is_well_formed(token.strip()):
        key = store.get(hash_of(token.strip()))
        if key and key.is_valid(clock.now()):
            _note_use(key, store, clock)
            return Identity(key.user_id, key.scopes)
    raise Unauthenticated("Send a valid API key as Authorization: Bearer x4k_live_…")


def _note_use(key: ApiKey, store: ApiKeyStore, clock: Clock) -> None:
    """Once an hour; nobody is refused because a note could not be written."""
    hour = key.unnoted_use(clock.now())
    if hour is None:
        return
    try:
        store.note_use(key, hour)
    except Exception:
        _log.exception("the use of a key was not noted")
