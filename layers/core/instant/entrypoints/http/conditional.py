"""Conditional requests: `If-Match` for writes, `ETag` and `If-None-Match` for public reads."""

import re
from hashlib import sha256

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

from instant.domain.errors import InvalidField

CACHE_SECONDS = 60
"""How long anybody may keep a public answer without asking."""

_HEADERS = {"Cache-Control": f"public, max-age={CACHE_SECONDS}"}

_REVISION = re.compile(r'\*|(?:W/)?"?([0-9]{1,9})"?')
"""What `If-Match` may say: any revision, or one, quoted or not."""


class IfNoneMatch:
    """The answers that a caller already has, by their tags, as `If-None-Match` names them."""

    def __init__(self, header: str) -> None:
        """Read the header; a weak tag is as good as a strong one here, and `*` is any."""
        self._tags = {tag.strip().removeprefix("W/") for tag in header.split(",")}

    @classmethod
    def by(cls, app: APIGatewayRestResolver) -> "IfNoneMatch":
        """What the present caller has."""
        headers = {name.lower(): values for name, values in (app.current_event.multi_value_headers or {}).items()}
        return cls(",".join(headers.get("if-none-match", [])))

    def __contains__(self, tag: str) -> bool:
        """Whether the answer with this tag is one of them."""
        return "*" in self._tags or tag in self._tags


def tag_of(text: str) -> str:
    """The strong entity tag of an answer: another text has another tag, wherever it was written."""
    return f'"{sha256(text.encode()).hexdigest()[:32]}"'


def tagged(text: str, tag: str) -> Response[str]:
    """The answer, and how to ask for it again."""
    return Response(200, "application/json", text, {**_HEADERS, "ETag": tag})


def unchanged(tag: str) -> Response[str]:
    """The caller has it."""
    return Response(304, body="", headers={**_HEADERS, "ETag": tag})


def revision_of(app: APIGatewayRestResolver) -> int | None:
    """The revision that `If-Match` names; None without one, or if any will do."""
    value = app.current_event.headers.get("If-Match")
    if value is None:
        return None
    found = _REVISION.fullmatch(value.strip())
    if not found:
        raise InvalidField.named("If-Match", 'must be the revision of the resource, such as "3"')
    return int(found[1]) if found[1] else None
