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
from instant.domain.errors import LimitReached
from instant.domain.ids import new_id
from instant.domain.secret import Secret

PREFIX = "x4k_live_"
_BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
_RANDOM_LENGTH = 32
_SHAPE = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{_RANDOM_LENGTH + 6}}}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """The stored record of an API key: its hash and its permissions, never the key.

    `parent_id` is the key that it was created with; `ancestors` also has the parent's ancestors. Keys that were created
    with an access token, or before parents were recorded, have neither.
    """

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
    parent_id: str | None = None
    ancestors: frozenset[str] = frozenset()
    replaces: str | None = None
    idempotency_namespace: str | None = None

    @property
    def namespace(self) -> str:
        """The namespace of the key's idempotency keys; the user's for keys that were stored without one."""
        return self.idempotency_namespace or self.user_id

    def is_valid(self, now: datetime) -> bool:
        """Whether the key can be used at `now`."""
        return self.revoked_at is None and (self.expires_at is None or format_time(now) < self.expires_at)

    def unnoted_use(self, now: datetime) -> str | None:
        """The hour of `now`, if a use of the key in that hour is not recorded yet; else None."""
        hour = format_time(now.replace(minute=0, second=0, microsecond=0))
        return hour if self.last_used_at is None or self.last_used_at < hour else None


def mint(
    *,
    user_id: str,
    name: str,
    scopes: frozenset[Scope],
    now: datetime,
    expires_at: str | None = None,
    parent: ApiKey | None = None,
    replaced: ApiKey | None = None,
) -> tuple[Secret, ApiKey]:
    """A new key, to be shown once, and the record to store.

    A key that may read all executions of its user also shares the namespace of the user's idempotency keys; any other
    key has its own. A key that replaces another takes over its namespace, so that retries are still recognized.
    """
    key_id, held = new_id("key", now), with_included(scopes)
    own = user_id if Scope.READ in held else key_id
    body = PREFIX + "".join(secrets.choice(_BASE62) for _ in range(_RANDOM_LENGTH))
    text = body + _checksum(body)
    record = ApiKey(
        key_hash=hash_of(text),
        key_id=key_id,
        user_id=user_id,
        name=name,
        last4=text[-4:],
        scopes=held,
        created_at=format_time(now),
        expires_at=expires_at,
        parent_id=parent.key_id if parent else None,
        ancestors=parent.ancestors | {parent.key_id} if parent else frozenset(),
        replaces=replaced.key_id if replaced else None,
        idempotency_namespace=replaced.namespace if replaced else own,
    )
    return Secret(text), record


def too_many(most: int) -> LimitReached:
    """The error for exceeding the maximum number of usable keys per user."""
    message = f"You have {most} API keys that can be used, which is the maximum. Revoke one that you no longer need."
    return LimitReached(message, details={"limit": "api_keys", "most": most})


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
