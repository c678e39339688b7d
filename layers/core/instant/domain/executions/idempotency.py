"""Idempotent requests: a request with an `Idempotency-Key` is executed at most once, however often it is sent."""

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
"""Visible ASCII; 255 characters is also the limit of comparable APIs."""


@dataclass(frozen=True, slots=True)
class IdempotentRequest:
    """A request with an idempotency key: the id of its execution, and the hash of its content."""

    execution_id: str
    fingerprint: str


def idempotent_request(key: str, namespace: str, asked: Mapping[str, Any]) -> IdempotentRequest:
    """The request with this key; keys of different namespaces, a user's or an API key's, are independent.

    The execution id is derived from namespace and key, so opening the execution also locks the key: one
    row serves both.
    """
    if not _KEY.fullmatch(key):
        raise InvalidField.named(HEADER, "must be 1 to 255 visible ASCII characters, without spaces")
    digest = sha256(f"{namespace}\n{key}".encode()).digest()
    return IdempotentRequest(f"exe_{base32(int.from_bytes(digest[:16]), 26)}", _fingerprint(asked))


def _fingerprint(asked: Mapping[str, Any]) -> str:
    """A hash of the request that does not depend on how its JSON was formatted."""
    return sha256(json.dumps(asked, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
