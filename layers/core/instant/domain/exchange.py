"""One HTTP exchange with an outside service, as plain data."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import ceil
from typing import Any

from instant.domain.errors import TooLarge
from instant.domain.secret import Mask, Secret

_SECONDS = re.compile(r"([0-9]{1,15})[0-9]*(\.[0-9]*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request to the base URL of an integration (or to an absolute `base_url`) + `path`.

    `bearer` is revealed only as the Authorization header on the wire. `id_header` is the response header that holds
    the service's id of the call: it is kept even when the rest of the response cannot be read. `spends` says whether
    carrying it out can cost money: an execution is SENT before the first request that spends. `generation_id` is the
    service's id of the call where it is known in advance: it is stored before the request is sent. `stream` says that
    the reply is read while it arrives, if the service sends it as events.
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
    stream: bool = False


class Unreadable(Exception):
    """The failure of a response that arrived and was rejected."""

    @classmethod
    def not_text(cls) -> "Unreadable":
        """The failure of a text that is not in UTF-8."""
        return cls("The response is not text in UTF-8.")


def too_long(most: int) -> TooLarge:
    """The error for a response of more than `most` bytes."""
    return TooLarge(
        f"The answer is longer than {most} bytes. The call was stopped and may have been charged. Ask for less, or "
        "lower max_tokens on the resource.",
        details={"limit": "answer_bytes", "most": most},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A complete response; header names are lower case.

    `document` is the JSON of a body that was parsed while it arrived; `body` is empty then.
    `mask` removes the key of the request from values that were parsed from the body: the body itself is masked, but
    parsing can undo escapes, and join parts, that hid the key.
    """

    status: int
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    document: Any = field(default=None, repr=False)
    mask: Mask = field(default=Mask(None), repr=False, compare=False)

    @property
    def date(self) -> datetime | None:
        """When the service sent the response, by its `Date`; None without one."""
        return http_date(self.headers.get("date", ""))

    @property
    def retry_after(self) -> int | None:
        """The `Retry-After` of the response in seconds; None if it has none."""
        return seconds_to_wait(self.headers.get("retry-after", ""), self.date)


def seconds_to_wait(value: str, now: datetime | None) -> int | None:
    """The seconds in a value of `Retry-After` (RFC 9110, 10.2.3), rounded up; None if it has none.

    Some services give seconds with decimals. A date counts from `now`, and is ignored without it; one in the past is 0.
    """
    if found := _SECONDS.fullmatch(value.strip()):
        return ceil(float(f"{found[1]}{(found[2] or '')[:9]}"))
    date = http_date(value)
    return None if date is None or now is None else max(0, ceil((date - now).total_seconds()))


def http_date(value: str) -> datetime | None:
    """The time in a date header; None if it is not a date."""
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
