"""Search for a secret in every encoding, whole or in part."""

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from urllib.parse import quote

WINDOW = 12
"""Number of consecutive characters of a secret that count as a leak; the hint of four characters is not one."""

_ENCODINGS: Mapping[str, Callable[[str], bytes]] = {
    "as it is": str.encode,
    "in hex": lambda part: part.encode().hex().encode(),
    "in capital hex": lambda part: part.encode().hex().upper().encode(),
    "URL-encoded": lambda part: quote(part, safe="").encode(),
    "URL-encoded throughout": lambda part: b"".join(b"%%%02X" % byte for byte in part.encode()),
    "JSON-encoded": lambda part: json.dumps(part)[1:-1].encode(),
    "JSON-encoded throughout": lambda part: "".join(f"\\u{ord(letter):04x}" for letter in part).encode(),
    "in UTF-16, little end first": lambda part: part.encode("utf-16-le"),
    "in UTF-16, big end first": lambda part: part.encode("utf-16-be"),
}


@dataclass(frozen=True)
class Needles:
    """One encoding of a secret: all its windows, and shorter clues; every window contains at least one clue."""

    windows: frozenset[bytes]
    clues: frozenset[bytes]

    def are_in(self, content: bytes) -> bool:
        """Whether the content contains a window; the clues are searched first, since few contents contain one."""
        return any(clue in content for clue in self.clues) and any(window in content for window in self.windows)


@cache
def needles(secret: str) -> Mapping[str, Needles]:
    """The search strings by encoding."""
    windows, clues = _parts(secret, WINDOW, 1), _parts(secret, WINDOW // 2, WINDOW // 2)
    plain = {
        name: Needles(frozenset(map(encode, windows)), frozenset(map(encode, clues)))
        for name, encode in _ENCODINGS.items()
    }
    coded = {f"in base64, {shift} bytes in": _base64(secret.encode(), shift) for shift in range(3)}
    return MappingProxyType({**plain, **coded})


def found(secret: str, content: bytes) -> list[str]:
    """The names of the encodings in which `content` contains the secret or a window of it."""
    return [name for name, encoding in needles(secret).items() if encoding.are_in(content)]


def _base64(secret: bytes, shift: int) -> Needles:
    """The secret in base64 after `shift` arbitrary bytes, without the characters that depend on them."""
    letters = b64encode(bytes(shift) + secret)[-(-shift * 8 // 6) : (shift + len(secret)) * 8 // 6]
    width = WINDOW * 8 // 6
    both = (letters, letters.translate(bytes.maketrans(b"+/", b"-_")))
    windows = (part for text in both for part in _parts(text, width, 1))
    clues = (part for text in both for part in _parts(text, width // 2, width // 2))
    return Needles(frozenset(windows), frozenset(clues))


def _parts[Text: (str, bytes)](whole: Text, width: int, step: int) -> list[Text]:
    return [whole[start : start + width] for start in range(0, len(whole) - width + 1, step)]
