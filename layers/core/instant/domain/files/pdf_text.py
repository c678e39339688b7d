"""How many bytes of text the operators of a PDF can show."""

import re
from collections.abc import Iterable

MIN_BYTES_PER_CODE = 4
"""Bytes of one character in UTF-8, at most."""

_PARENTHESIS = re.compile(rb"\\[\s\S]|[()]")
_HEX = re.compile(rb"<([^>]*)")
_MOVE = re.compile(rb"T[djDJm*]|['\"]|\)|>")
_NOT_DIGITS = bytes(set(range(256)) - set(b"0123456789abcdefABCDEF"))
_TABLE = re.compile(rb"begin(?:cmap|bfchar|bfrange)")
_DIFFERENCES = re.compile(rb"/Differences\s*\[([^\]]*)")
_LIGATURE = re.compile(rb"/(uni[0-9A-Fa-f]{4,}|[^\s/<>\[\](){}%]*_[^\s/<>\[\](){}%]*)")


def shown_bytes(text: bytes) -> int:
    """The bytes in strings, and one for each operator after which a reader can add a blank or a line break."""
    return _literal_bytes(text) + sum(len(found[1]) for found in _HEX.finditer(text)) // 2 + len(_MOVE.findall(text))


def bytes_per_code(texts: Iterable[bytes]) -> int:
    """The most bytes of text that one byte in a string can stand for.

    A table of characters maps a code to any number of UTF-16 units, each at most three bytes of UTF-8. The name of a
    glyph can be several names joined by `_`, or several code units.
    """
    longest = MIN_BYTES_PER_CODE
    for text in texts:
        if _TABLE.search(text):
            longest = max([longest, *((_digits(found[1]) + 3) // 4 * 3 for found in _HEX.finditer(text))])
        for names in _DIFFERENCES.finditer(text):
            longest = max([longest, *(len(name) * 2 for name in _LIGATURE.findall(names[1]))])
    return longest


def _digits(text: bytes) -> int:
    """Hexadecimal digits; readers ignore anything else in a string of them."""
    return len(text.translate(None, delete=_NOT_DIGITS))


def _literal_bytes(text: bytes) -> int:
    """Bytes between balanced parentheses; a string that does not end goes on to the end of the text."""
    total = depth = start = 0
    for found in _PARENTHESIS.finditer(text):
        mark = found[0]
        if mark == b")":
            depth = max(0, depth - 1)
            if depth == 0 and start:
                total, start = total + found.start() - start, 0
        elif mark == b"(" or (mark == b"\\(" and depth == 0):
            depth += 1
            start = start or found.end()
    return total + (len(text) - start if start else 0)
