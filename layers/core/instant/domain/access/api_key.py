"""Our own API keys: `x4k_live_`, 32 random base62 characters, and a checksum that catches typos offline."""

import re
import secrets
import string
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from zlib import crc32

from instant.domain.access.identity import Scope
from instant.domain.clock import format_time
from instant.domain.ids import new_id
from instant.domain.secret import Secret

PREFIX = "x4k_live_"
_BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
_RANDOM_LENGTH = 32
_SHAPE = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{_RANDOM_LENGTH + 6}}}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """What we keep of a key: its hash and what it allows, never the key."""

    key_hash: str
    key_id: str
    user_id: str
    name: str
    last4: str
    scopes: frozenset[Scope]
    created_at: str
    expires_at: str | None = None
    revoked_at: str | None = None
    last_used_at: str | None = None

    def is_valid(self, now: datetime) -> bool:
        """Whether the key opens anything at `now`."""
        return self.revoked_at is None and (self.expires_at is None or format_time(now) < self.expires_at)

    def unnoted_use(self, now: datetime) -> str | None:
        """The hour of `now`, in which the key was not yet noted as used; None if it was."""
        hour = format_time(now.replace(minute=0, second=0, microsecond=0))
        return hour if self.last_used_at is None or self.last_used_at < hour else None


def mint(
    *, user_id: str, name: str, scopes: frozenset[Scope], now: datetime, expires_at: str | None = None
) -> tuple[Secret, ApiKey]:
    """A fresh key, to be shown once, and the record that is kept of it."""
    body = PREFIX + "".join(secrets.choice(_BASE62) for _ in range(_RANDOM_LENGTH))
    text = body + _checksum(body)
    record = ApiKey(
        key_hash=hash_of(text),
        key_id=new_id("key", now),
        user_id=user_id,
        name=name,
        last4=text[-4:],
        scopes=scopes,
        created_at=format_time(now),
        expires_at=expires_at,
    )
    return Secret(text), record


def is_well_formed(text: str) -> bool:
    """Whether `text` can be one of our keys at all; a typo is refused here, with no table read."""
    return _SHAPE.fullmatch(text) is not None and secrets.compare_digest(text[-6:], _checksum(text[:-6]))


def hash_of(text: str) -> str:
    """The key under which a record is kept: sha256 suffices, since the random part has 190 bits."""
    return sha256(text.encode()).hexdigest()


def _checksum(body: str) -> str:
    number, digits = crc32(body.encode()), ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        digits = _BASE62[digit] + digits
    return digits
