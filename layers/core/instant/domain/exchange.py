"""One HTTP exchange with an outside service, as plain data."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from instant.domain.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to send to `base_url` + `path`; an operator may point the base URL elsewhere.

    `bearer` is revealed only as the Authorization header on the wire. `id_header` is the reply's header that names
    the call: it is kept even when the rest of the reply cannot be read.
    Bodies may hold secrets: no repr shows them.
    """

    method: str
    base_url: str
    path: str
    body: bytes | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    bearer: Secret | None = None
    max_reply_bytes: int = 1_000_000
    id_header: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back, whole; header names are lower case."""

    status: int
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
