"""Our API keys: `x4k_live_`, 32 random base62 characters, and a checksum that detects typos offline."""

import re
import secrets
import string
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from zlib import crc32

from instant.domain.access.identity import Scope, with_included
from instant.domain.clock import format_time
from instant.domain.ids import new_id
from instant.domain.secret import Secret

PREFIX = "x4k_live_"
_BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
_RANDOM_LENGTH = 32
_SHAPE = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{_RANDOM_LENGTH + 6}}}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """The stored record of an API key: its hash and its permissions, never the key."""

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
        """Whether the key can be used at `now`."""
        return self.revoked_at is None and (self.expires_at is None or format_time(now) < self.expires_at)

    def unnoted_use(self, now: datetime) -> str | None:
        """The hour of `now`, if a use of the key in that hour is not recorded yet; else None."""
        hour = format_time(now.replace(minute=0, second=0, microsecond=0))
        return hour if self.last_used_at is None or self.last_used_at < hour else None


def mint(
    *, user_id: str, name: str, scopes: frozenset[Scope], now: datetime, expires_at: str | None = None
) -> tuple[Secret, ApiKey]:
    """A new key, to be shown once, and the record to store."""
    body = PREFIX + "".join(secrets.choice(_BASE62) for _ in range(_RANDOM_LENGTH))
    text = body + _checksum(body)
    record = ApiKey(
        key_hash=hash_of(text),
        key_id=new_id("key", now),
        user_id=user_id,
        name=name,
        last4=text[-4:],
        scopes=with_included(scopes),
        created_at=format_time(now),
        expires_at=expires_at,
    )
    return Secret(text), record


def is_well_formed(text: str) -> bool:
    """Whether `text` has the form of our keys; a typo is rejected here, without a table read."""
    return _SHAPE.fullmatch(text) is not None and secrets.compare_digest(text[-6:], _checksum(text[:-6]))


def hash_of(text: str) -> str:
    """The primary key of a record; SHA-256 is enough, since the random part has 190 bits."""
    return sha256(text.encode()).hexdigest()


def _checksum(body: str) -> str:
    number, digits = crc32(body.encode()), ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        digits = _BASE62[digit] + digits
    return digits
