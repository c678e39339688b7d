"""Every spelling in which a secret could lie somewhere, whole or in part."""

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from urllib.parse import quote

WINDOW = 12
"""So many characters of a secret in a row are a leak; the four that are shown as a hint are none."""

_SPELLED: Mapping[str, Callable[[str], bytes]] = {
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
    """One spelling of a secret: all its windows, and clues, at least one of which is in every window."""

    windows: frozenset[bytes]
    clues: frozenset[bytes]

    def are_in(self, content: bytes) -> bool:
        """Whether a window is there; few contents hold a clue, so most need no second look."""
        return any(clue in content for clue in self.clues) and any(window in content for window in self.windows)


@cache
def needles(secret: str) -> Mapping[str, Needles]:
    """What to look for, by the name of the spelling."""
    windows, clues = _parts(secret, WINDOW, 1), _parts(secret, WINDOW // 2, WINDOW // 2)
    plain = {
        name: Needles(frozenset(map(spell, windows)), frozenset(map(spell, clues))) for name, spell in _SPELLED.items()
    }
    coded = {f"in base64, {shift} bytes in": _base64(secret.encode(), shift) for shift in range(3)}
    return MappingProxyType({**plain, **coded})


def found(secret: str, content: bytes) -> list[str]:
    """The names of the spellings in which `content` holds the secret, or enough of it."""
    return [name for name, spelling in needles(secret).items() if spelling.are_in(content)]


def _base64(secret: bytes, shift: int) -> Needles:
    """The secret in base64 behind `shift` bytes of anything, without the letters that mix both."""
    letters = b64encode(bytes(shift) + secret)[-(-shift * 8 // 6) : (shift + len(secret)) * 8 // 6]
    width = WINDOW * 8 // 6
    both = (letters, letters.translate(bytes.maketrans(b"+/", b"-_")))
    windows = (part for text in both for part in _parts(text, width, 1))
    clues = (part for text in both for part in _parts(text, width // 2, width // 2))
    return Needles(frozenset(windows), frozenset(clues))


def _parts[Text: (str, bytes)](whole: Text, width: int, step: int) -> list[Text]:
    return [whole[start : start + width] for start in range(0, len(whole) - width + 1, step)]
