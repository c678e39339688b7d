"""Calls that are made once, however often they are sent: the caller names them with an `Idempotency-Key`."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from instant.domain.errors import InvalidField
from instant.domain.ids import base32

HEADER = "Idempotency-Key"

_KEY = re.compile(r"[!-~]{1,255}")
"""Visible ASCII, as in HTTP's own names for things; the longest that others take, too."""


@dataclass(frozen=True, slots=True)
class IdempotentRequest:
    """A request with an idempotency key: the id of its one execution, and the hash of what was asked for."""

    execution_id: str
    fingerprint: str


def idempotent_request(key: str, user_id: str, asked: Mapping[str, Any]) -> IdempotentRequest:
    """The request of this user with this key; the same key of another user is another request.

    The id is derived, so that opening the execution is also what locks the key: there is one row for both.
    """
    if not _KEY.fullmatch(key):
        raise InvalidField.named(HEADER, "must be 1 to 255 visible ASCII characters, without spaces")
    digest = sha256(f"{user_id}\n{key}".encode()).digest()
    return IdempotentRequest(f"exe_{base32(int.from_bytes(digest[:16]), 26)}", _fingerprint(asked))


def _fingerprint(asked: Mapping[str, Any]) -> str:
    """The same for the same request, however its JSON was written down."""
    return sha256(json.dumps(asked, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
