"""Media in a caller's inputs: a link, or a data URL whose type and encoding are validated."""

import binascii
import re
from base64 import b64decode
from dataclasses import dataclass
from typing import Literal

from instant.domain.errors import InvalidField

type MediaKind = Literal["image", "file", "audio"]

_DATA_URL = re.compile(r"data:(?P<type>[a-z]+/[a-z0-9.+-]+);base64,(?P<data>[A-Za-z0-9+/]+={0,2})")
_LINK = re.compile(r"https://[^\s/@]+\.[^\s/@]+(/\S*)?")
_TYPES: dict[str, dict[str, str]] = {
    "image": {"image/png": "png", "image/jpeg": "jpeg", "image/webp": "webp", "image/gif": "gif"},
    "file": {"application/pdf": "pdf"},
    "audio": {"audio/wav": "wav", "audio/x-wav": "wav", "audio/mpeg": "mp3", "audio/mp3": "mp3"},
}


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
    if kind == "image" and len(value) <= 2_048 and _LINK.fullmatch(value):
        return Media(kind, value)
    found = _DATA_URL.fullmatch(value)
    if found is None or found["type"] not in _TYPES[kind]:
        known = ", ".join(sorted(_TYPES[kind]))
        link = "an https link, or " if kind == "image" else ""
        raise InvalidField.named(field, f"must be {link}a base64 data URL of one of: {known}")
    try:
        size = len(b64decode(found["data"], validate=True))
    except binascii.Error:
        raise InvalidField.named(field, "is not valid base64") from None
    return Media(kind, value, _TYPES[kind][found["type"]], found["data"], size)
