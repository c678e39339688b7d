"""One text of an answer, passed on while it arrives: without the key, and without images, which become links."""

import re
from collections.abc import Iterator
from hashlib import sha256

from instant.domain.secret import Mask

MAX_HELD = 1_000
"""Maximum length of a text that is held because the key can begin in it; one that is longer is held to the end.

What is held is read again with each piece, so this bounds the time of many short pieces.
"""

MAX_PART = 65_536
"""Maximum length of what is passed on at once."""

_STARTS = ("data:image", "iVBORw0KGgo", "/9j/", "UklGR", "R0lGOD")
"""How images in a text begin: as data URLs, or in base64."""

_IMAGE = re.compile(
    "|".join(
        rf"(?<![A-Za-z0-9+/_-])(?:{re.escape(start[0])}"
        + "".join(rf"(?:{re.escape(each)}|\Z)" for each in start[1:])
        + ")"
        for start in _STARTS
    ),
    re.IGNORECASE,
)
"""The beginning of an image, as far as the text goes."""


class Pieces:
    """The pieces of one text: what was passed on is compared with the whole text at its end."""

    def __init__(self, mask: Mask) -> None:
        """Begin without a piece."""
        self._mask = mask
        self._rest = ""
        self._is_held = False
        self._length = 0
        self._hash = sha256()

    def next_of(self, piece: str) -> Iterator[str]:
        """What can be passed on with the next piece, in parts if it is long, without a copy of all of it."""
        for start in range(0, len(piece), MAX_PART):
            if text := self.next(piece[start : start + MAX_PART]):
                yield text

    def next(self, piece: str) -> str:
        """What can be passed on with the next piece; blanks at the beginning wait, as they may be all of the text."""
        if self._is_held:
            return ""
        text = self._mask.text(self._rest + piece)
        settled = self._mask.settled(text)
        if image := _IMAGE.search(text):
            settled = min(settled, image.start())
            self._is_held = any(text[image.start() :].lower().startswith(start.lower()) for start in _STARTS)
        if not self._length and not text[:settled].strip():
            settled = 0
        self._rest = text[settled:]
        self._is_held = self._is_held or len(self._rest) > MAX_HELD
        return self._passed_on(text[:settled])

    def last(self, whole: str) -> tuple[str, bool]:
        """What is missing of the whole text; if it does not begin with what was passed on, all of it, and True."""
        if _digest(whole, self._length) == self._hash.digest():
            return whole[self._length :], False
        return whole, True

    def _passed_on(self, text: str) -> str:
        self._length += len(text)
        self._hash.update(_utf8(text))
        return text


def _digest(text: str, length: int) -> bytes:
    """The hash of the beginning of a text, without a copy of it: a character can take four bytes."""
    found = sha256()
    for start in range(0, length, MAX_PART):
        found.update(_utf8(text[start : min(start + MAX_PART, length)]))
    return found.digest()


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
