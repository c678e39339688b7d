"""The media types that models read, by the names that clients give them, or by the signature of the data."""

import re
from typing import Literal

type MediaKind = Literal["image", "file", "audio"]

_NAMES: dict[MediaKind, dict[str, str]] = {
    "image": {
        "image/png": "image/png image/x-png image/apng",
        "image/jpeg": "image/jpeg image/jpg image/pjpeg image/pjpg image/jfif image/jpe image/x-jpeg image/x-jpg",
        "image/webp": "image/webp image/x-webp",
        "image/gif": "image/gif image/x-gif",
    },
    "file": {
        "application/pdf": "application/pdf application/x-pdf application/acrobat application/vnd.pdf text/pdf "
        "text/x-pdf"
    },
    "audio": {
        "audio/wav": "audio/wav audio/x-wav audio/wave audio/x-wave audio/vnd.wave audio/x-pn-wav",
        "audio/mpeg": "audio/mpeg audio/mp3 audio/mpg audio/mpeg3 audio/x-mpeg audio/x-mp3 audio/x-mpg audio/x-mpeg-3 "
        "audio/x-mpeg3",
    },
}
"""The types of each kind, and the names of each type."""

_BY_NAME = {
    kind: {name: media_type for media_type, names in types.items() for name in names.split()}
    for kind, types in _NAMES.items()
}

_UNSPECIFIC = {"", "application/octet-stream", "application/binary", "application/x-binary", "binary/octet-stream"}
"""Names that say nothing about the data."""

_SIGNATURES: dict[str, re.Pattern[bytes]] = {
    "image/png": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "image/jpeg": re.compile(rb"\xff\xd8\xff"),
    "image/webp": re.compile(rb"RIFF....WEBP", re.DOTALL),
    "image/gif": re.compile(rb"GIF8[79]a"),
    "application/pdf": re.compile(rb".{0,1019}%PDF-", re.DOTALL),
    "audio/wav": re.compile(rb"RIFF....WAVE", re.DOTALL),
    "audio/mpeg": re.compile(rb"ID3|\xff[\xe2\xe3\xf2\xf3\xfa\xfb]"),
}
"""How the data of each type begins. A PDF can have other bytes before its header."""


IMAGE_IN_BASE64 = "(?:iVBORw0KGgo|/9j/|UklGR|R0lGOD)"
"""A regular expression for the base64 of the first bytes of each type of image."""


def media_types(kind: MediaKind) -> list[str]:
    """The types of `kind`, by their standard names."""
    return sorted(_NAMES[kind])


def media_type_of(kind: MediaKind, name: str, data: bytes) -> str | None:
    """The standard name of the type that a client named `name`; None if it is not of `kind`.

    The signature of `data` decides if the name says nothing about it.
    """
    if name not in _UNSPECIFIC:
        return _BY_NAME[kind].get(name)
    return next((found for found in _NAMES[kind] if _SIGNATURES[found].match(data)), None)
