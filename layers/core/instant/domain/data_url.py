"""Base64 data URLs (RFC 2397) as clients write them: in any case, with parameters, line breaks and percent-encoding."""

import re
from binascii import a2b_base64
from dataclasses import dataclass, field
from urllib.parse import unquote

_SCHEME = re.compile(r"\s*data:", re.IGNORECASE)
_ENCODING = re.compile(r";\s*base64\s*,", re.IGNORECASE)
_MAX_PREFIX = 1_000
"""Maximum length of what precedes the data: a type, and parameters such as a file name."""

_STANDARD = str.maketrans("-_", "+/")


LETTERS_IN_TEXT = r"(?:\\/|[A-Za-z0-9+/_%=-])+"
"""A regular expression for the data of a URL inside another text, such as JSON, in which slashes can be escaped."""


def head_in_text(kind: str) -> str:
    """A regular expression for what precedes the data of URLs of types such as `image`; all of it is bounded."""
    return rf"data:{kind}\\?/[\w.+-]{{1,80}}(?:;[\w.=+-]{{1,80}}){{0,4}};base64,"


@dataclass(frozen=True, slots=True)
class DataUrl:
    """A media type in lower case without parameters, empty if the URL has none, and the decoded data."""

    media_type: str
    data: bytes = field(repr=False)


def is_data_url(text: str) -> bool:
    """Whether `text` has the scheme of a data URL."""
    return _SCHEME.match(text) is not None


def parse_data_url(text: str, max_bytes: int | None = None) -> DataUrl | None:
    """Decode a base64 data URL; None for other text, for invalid or no data, and for more than `max_bytes` of it.

    The size is checked before the data is decoded. Missing padding and the URL-safe alphabet are accepted.
    """
    scheme = _SCHEME.match(text)
    encoding = _ENCODING.search(text, scheme.end(), scheme.end() + _MAX_PREFIX) if scheme else None
    if scheme is None or encoding is None:
        return None
    letters = "".join(unquote(text[encoding.end() :]).split()).rstrip("=").translate(_STANDARD)
    if not letters or (max_bytes is not None and len(letters) * 3 // 4 > max_bytes):
        return None
    try:
        data = a2b_base64(letters + "=" * (-len(letters) % 4), strict_mode=True)
    except ValueError:
        return None
    media_type = unquote(text[scheme.end() : encoding.start()]).split(";")[0]
    return DataUrl(media_type.strip().lower(), data)
