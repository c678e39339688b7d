"""Conditional requests: `If-Match` for writes, `ETag` and `If-None-Match` for public reads."""

import re
from hashlib import sha256

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

from instant.domain.errors import InvalidField

CACHE_SECONDS = 60
"""How long a public response may be cached without revalidation."""

_HEADERS = {"Cache-Control": f"public, max-age={CACHE_SECONDS}"}

_REVISION = re.compile(r'\*|(?:W/)?"?([0-9]{1,9})"?')
"""Valid values of `If-Match`: any revision, or one, quoted or not."""


class IfNoneMatch:
    """The entity tags in `If-None-Match`: the responses that the caller has cached."""

    def __init__(self, header: str) -> None:
        """Parse the header; weak and strong tags are treated the same, and `*` matches any."""
        self._tags = {tag.strip().removeprefix("W/") for tag in header.split(",")}

    @classmethod
    def by(cls, app: APIGatewayRestResolver) -> "IfNoneMatch":
        """The tags of the current request."""
        headers = {name.lower(): values for name, values in (app.current_event.multi_value_headers or {}).items()}
        return cls(",".join(headers.get("if-none-match", [])))

    def __contains__(self, tag: str) -> bool:
        """Whether this tag is one of them."""
        return "*" in self._tags or tag in self._tags


def tag_of(text: str) -> str:
    """The strong entity tag of a response: a hash of its text."""
    return f'"{sha256(text.encode()).hexdigest()[:32]}"'


def tagged(text: str, tag: str) -> Response[str]:
    """The response with its `ETag` and cache headers."""
    return Response(200, "application/json", text, {**_HEADERS, "ETag": tag})


def unchanged(tag: str) -> Response[str]:
    """304 Not Modified."""
    return Response(304, body="", headers={**_HEADERS, "ETag": tag})


def revision_of(app: APIGatewayRestResolver) -> int | None:
    """The revision in `If-Match`; None without the header, or for `*`."""
    value = app.current_event.headers.get("If-Match")
    if value is None:
        return None
    found = _REVISION.fullmatch(value.strip())
    if not found:
        raise InvalidField.named("If-Match", 'must be the revision of the resource, such as "3"')
    return int(found[1]) if found[1] else None
