"""One HTTP exchange with an outside service, as plain data."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from instant.domain.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request to the base URL of an integration (or to an absolute `base_url`) + `path`.

    `bearer` is revealed only as the Authorization header on the wire. `id_header` is the response header that holds
    the service's id of the call: it is kept even when the rest of the response cannot be read. `spends` says whether
    carrying it out can cost money: an execution is SENT before the first request that spends. `generation_id` is the
    service's id of the call where it is known in advance: it is stored before the request is sent.
    Bodies may hold secrets: no repr shows them.
    """

    method: str
    path: str
    integration: str | None = None
    base_url: str | None = None
    body: bytes | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    bearer: Secret | None = None
    max_reply_bytes: int = 1_000_000
    id_header: str | None = None
    spends: bool = True
    generation_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A complete response; header names are lower case."""

    status: int
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def retry_after(self) -> int | None:
        """The `Retry-After` of the response in seconds; None if it gives no number of seconds."""
        value = self.headers.get("retry-after", "")
        return int(value[:9]) if value.isdecimal() else None
