"""Media in a caller's inputs: a link, or a data URL, in the normal form in which it is sent."""

import re
from base64 import b64encode
from dataclasses import dataclass

from instant.domain.data_url import is_data_url, parse_data_url
from instant.domain.errors import InvalidField
from instant.domain.limits import MAX_LINK_CHARACTERS
from instant.domain.media_types import MediaKind, media_type_of, media_types

_FORMATS = {
    "image/png": "png",
    "image/jpeg": "jpeg",
    "image/webp": "webp",
    "image/gif": "gif",
    "application/pdf": "pdf",
    "audio/wav": "wav",
    "audio/mpeg": "mp3",
}
_LINK = re.compile(
    r"(?P<scheme>https?)://(?P<user>[^\s/?#@]*@)?(?P<host>[^\s/?#@]+)(?P<rest>[/?#].*)?", re.IGNORECASE | re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Media:
    """One media input: `url` is a link or a data URL; for a data URL, `size_bytes` and the base64 `data` are set."""

    kind: MediaKind
    url: str
    format: str | None = None
    data: str | None = None
    size_bytes: int = 0


def read_media(kind: MediaKind, value: object, field: str) -> Media:
    """Parse `value` as media of `kind`; `InvalidField` names `field`.

    Only images can be links: other media are priced by size.
    """
    if not isinstance(value, str):
        raise InvalidField.named(field, "must be text: a data URL, or for images an https link")
    if found := _LINK.fullmatch(value.strip()):
        if problem := _link_problem(kind, found):
            raise InvalidField.named(field, problem)
        return Media(kind, f"https://{found['host'].lower()}{found['rest'] or ''}")
    url = parse_data_url(value)
    if url is None and is_data_url(value) and "base64" in value[:1_000].lower():
        raise InvalidField.named(field, "is not valid base64")
    media_type = media_type_of(kind, url.media_type, url.data) if url else None
    if url is None or media_type is None:
        link = "an https link, or " if kind == "image" else ""
        known = ", ".join(media_types(kind))
        raise InvalidField.named(field, f"must be {link}a base64 data URL (data:…;base64,…) of one of: {known}")
    data = b64encode(url.data).decode()
    return Media(kind, f"data:{media_type};base64,{data}", _FORMATS[media_type], data, len(url.data))


def _link_problem(kind: MediaKind, link: re.Match[str]) -> str | None:
    """Why a link cannot be sent; None if it can."""
    if kind != "image":
        return "is a link, which only images can be; send the data as a base64 data URL"
    if len(link[0]) > MAX_LINK_CHARACTERS:
        return f"is a link of {len(link[0])} characters; {MAX_LINK_CHARACTERS} are allowed"
    if link["scheme"].lower() != "https":
        return "is an http link; providers read https links only"
    if link["user"] is not None:
        return "is a link with a user name or password; use a link that needs none, such as a presigned one"
    if any(character.isspace() for character in link[0]):
        return "is a link with blanks or line breaks; write blanks as %20"
    if not re.fullmatch(r"[^.]+(\.[^.]+)+", link["host"]):
        return "is a link to a host that providers cannot reach"
    return None
