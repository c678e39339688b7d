"""JSON text that came from outside: parsed with every digit and at any depth, and its strings cleaned."""

import json
import re
from decimal import Decimal
from typing import Any, NoReturn

MAX_REPLY_DEPTH = 1_000
"""Maximum nesting of a reply that is read; a value below it reads as null."""

_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"|[\[{\]}]', re.DOTALL)
_SURROGATES = re.compile("([\ud800-\udbff][\udc00-\udfff])|[\ud800-\udfff]")


def refuse(constant: str) -> NoReturn:
    """Reject NaN and Infinity, which Python's parser reads."""
    raise ValueError(f"{constant} is not JSON")


_DECODER = json.JSONDecoder(parse_float=Decimal, parse_constant=refuse)


def loads(text: str) -> Any:
    """The JSON in `text`, with fractional numbers as Decimal; raises `ValueError` if it is not JSON."""
    try:
        try:
            return _DECODER.decode(text)
        except RecursionError:
            return _DECODER.decode(_shallow(text))
    except (ArithmeticError, RecursionError) as error:
        raise ValueError("not JSON") from error


def clean(text: str) -> str:
    """`text` with each lone surrogate replaced by `?`, since strict readers reject it; pairs that were split join."""
    if text.isascii():
        return text
    return _SURROGATES.sub(
        lambda found: found[0].encode("utf-16", "surrogatepass").decode("utf-16") if found[1] else "?", text
    )


class Cleaner:
    """Cleans a text that arrives in pieces: half of a surrogate pair waits for the other half."""

    __slots__ = ("_half",)

    def __init__(self) -> None:
        """Begin without a piece."""
        self._half = ""

    def __call__(self, piece: str) -> str:
        """The next piece of the clean text."""
        piece, self._half = self._half + piece, ""
        if "\ud800" <= piece[-1:] <= "\udbff":
            piece, self._half = piece[:-1], piece[-1]
        return clean(piece)


def _shallow(text: str) -> str:
    """JSON text with each value below `MAX_REPLY_DEPTH` replaced by null."""
    kept, start, depth = [], 0, 0
    for token in _TOKEN.finditer(text):
        if token[0] in "[{":
            depth += 1
            if depth == MAX_REPLY_DEPTH + 1:
                kept.append(text[start : token.start()])
        elif token[0] in "]}":
            if depth == MAX_REPLY_DEPTH + 1:
                kept.append("null")
                start = token.end()
            depth -= 1
    return "".join([*kept, text[start:] if depth <= MAX_REPLY_DEPTH else ""])
