"""Decodes JSON that came from outside, and cleans its strings: whole replies, and JSON in the text of an answer.

Everything that is read from OpenRouter passes through here, so that no later code has to clean a string.
"""

import json
import re
from collections.abc import Sequence
from decimal import Decimal
from itertools import chain
from typing import Any
from uuid import uuid4

from instant.domain.exchange import Unreadable
from instant.domain.json_values import is_deeper, map_strings
from instant.integrations.openrouter.json_text import clean, loads, refuse
from instant.integrations.openrouter.streams.completion import Completion
from instant.integrations.openrouter.streams.events import EventReader

MAX_ANSWER_DEPTH = 60
"""Maximum nesting of an answer that is returned as JSON: common parsers reject more than 64 levels in a response."""

_ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|(?P<lone>u[dD][89a-fA-F][\da-fA-F]{2})|.)",
    re.DOTALL,
)
_FENCE = re.compile(
    r"(`{3,9}|~{3,9})(?:[ \t]{0,9}[\w+.-]{0,40}[ \t]{0,9}\r?\n|[ \t]{0,9}(?:json)?)(.*?)\1", re.DOTALL | re.IGNORECASE
)
_BLANK = " \t\r\n\ufeff"


def decode_reply(body: bytes) -> Any:
    """The JSON in `body` with clean strings, and fractional numbers as Decimal; None if it is not JSON in UTF-8.

    A byte order mark and the framing of server-sent events around the JSON are ignored. A completion in chunks is
    joined.
    """
    try:
        text = body.decode("utf-8-sig")
        try:
            value = loads(text)
        except ValueError:
            value = _read_events(body)
    except (ValueError, Unreadable):
        return None
    return map_strings(value, clean)


def decode_answer(text: str) -> Any:
    """The JSON that is the whole of `text`, or of one Markdown fence; raises `ValueError` if there is none.

    JSON is rejected if a number or an object would not be returned exactly, or if it is nested too deeply.
    """
    bare = text.strip(_BLANK)
    if fence := _FENCE.fullmatch(bare):
        bare = fence[2].strip(_BLANK)
    try:
        value = json.loads(
            bare, parse_float=_exact_float, parse_constant=refuse, object_pairs_hook=_object_without_duplicates
        )
    except (ArithmeticError, RecursionError) as error:
        raise ValueError("not JSON") from error
    if is_deeper(value, MAX_ANSWER_DEPTH):
        raise ValueError("nested too deeply")
    return map_strings(value, clean)


def clean_escapes(json_text: str) -> str:
    """JSON text with each escaped lone surrogate replaced by `?`; other JSON text stays as it is."""
    return _ESCAPE.sub(lambda found: "?" if found["lone"] else found[0], json_text)


def encode(value: Any) -> str:
    """`value` from `decode_reply` as JSON text, with every digit of its numbers."""
    mark = uuid4().hex
    text = json.dumps(value, default=lambda number: f"{mark}{number}")
    return re.sub(f'"{mark}([^"]+)"', r"\1", text)


def _read_events(body: bytes) -> Any:
    """The JSON in server-sent events, or the completion that they send in chunks."""
    events, completion = EventReader(), Completion()
    for value in chain(events.feed(body), events.finish()):
        completion.add(value)
    return completion.document(is_done=events.is_done, is_broken=events.is_broken)


def _exact_float(literal: str) -> float:
    number = float(literal)
    if Decimal(repr(number)) != Decimal(literal):
        raise ValueError("a number has more digits than are returned")
    return number


def _object_without_duplicates(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    members = {clean(key): member for key, member in pairs}
    if len(members) != len(pairs):
        raise ValueError("an object has the same key twice")
    return members
