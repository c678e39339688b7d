"""Parses the catalog's JSON so that a value that cannot be kept makes its row unreadable, not the whole catalog."""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from math import isfinite
from typing import Any

from instant.domain.json_values import map_strings
from instant.integrations.openrouter.json_text import clean

MAX_DEPTH = 35
"""Maximum nesting of arrays and objects; real catalogs have 7. The row itself is at depth 3."""

MAX_DIGITS = 1_000
"""Maximum length of a number."""

_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"|[\[\]{}]', re.DOTALL)


class _Unreadable:
    """The type of `UNREADABLE`."""


UNREADABLE = _Unreadable()
"""Stands for a value that is nested too deep, too long, or a number that JSON readers cannot hold."""


def parse_catalog(body: bytes) -> Any:
    """The JSON in `body`: clean strings, Decimals, and `UNREADABLE` values; None if it is not JSON in UTF-8."""
    try:
        value = json.loads(
            "".join(_flattened(body.decode("utf-8-sig"))),
            parse_float=lambda number: _number(number, Decimal),
            parse_int=lambda number: _number(number, int),
            parse_constant=lambda constant: UNREADABLE,
        )
    except (ValueError, ArithmeticError, RecursionError):
        return None
    return map_strings(value, clean)


def has_unreadable(value: object) -> bool:
    """Whether `value` is or contains an `UNREADABLE` value."""
    match value:
        case dict():
            return any(map(has_unreadable, value.values()))
        case list():
            return any(map(has_unreadable, value))
    return value is UNREADABLE


def _number(text: str, read: type[int] | type[Decimal]) -> Any:
    is_readable = len(text) <= MAX_DIGITS and (read is int or isfinite(float(text)))
    try:
        return read(text) if is_readable else UNREADABLE
    except ArithmeticError:
        return UNREADABLE  # an exponent that Decimal cannot hold


def _flattened(body: str) -> Iterator[str]:
    """The parts of `body`, with NaN in the place of each array and object deeper than `MAX_DEPTH`."""
    depth = kept = 0
    for token in _TOKEN.finditer(body):
        if token[0] in "[{":
            depth += 1
            if depth == MAX_DEPTH + 1:
                yield body[kept : token.start()]
                yield "NaN"
        elif token[0] in "]}":
            if depth == MAX_DEPTH + 1:
                kept = token.end()
            depth -= 1
    yield body[kept:]
