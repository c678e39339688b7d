"""One HTTP exchange with an outside service, as plain data."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from instant.domain.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to send: `url` is absolute; `bearer` is revealed only as the Authorization header on the wire.

    `base_url` is the front part of `url` that an operator may point elsewhere.
    """

    method: str
    base_url: str
    path: str
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    bearer: Secret | None = None
    max_reply_bytes: int = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back, whole; header names are lower case."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
