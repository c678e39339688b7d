"""Decodes JSON that came from outside, and cleans its strings: whole replies, and JSON in the text of an answer.

Everything that is read from OpenRouter passes through here, so that no later code has to clean a string.
"""

import json
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NoReturn
from uuid import uuid4

from instant.domain.json_values import is_deeper, map_strings
from instant.integrations.openrouter.event_stream import completion_of, is_chunk, is_done, without_framing

MAX_REPLY_DEPTH = 1_000
"""Maximum nesting of a reply that is read; a value below it reads as null."""

MAX_ANSWER_DEPTH = 60
"""Maximum nesting of an answer that is returned as JSON: common parsers reject more than 64 levels in a response."""

_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"|[\[{\]}]', re.DOTALL)
_SURROGATES = re.compile("([\ud800-\udbff][\udc00-\udfff])|[\ud800-\udfff]")
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
            value = _loads(text)
        except ValueError:
            value = _decode_events(text)
    except (ValueError, ArithmeticError, RecursionError):
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
            bare, parse_float=_exact_float, parse_constant=_refuse, object_pairs_hook=_object_without_duplicates
        )
    except (ArithmeticError, RecursionError) as error:
        raise ValueError("not JSON") from error
    if is_deeper(value, MAX_ANSWER_DEPTH):
        raise ValueError("nested too deeply")
    return map_strings(value, clean)


def clean(text: str) -> str:
    """`text` with each lone surrogate replaced by `?`, since strict readers reject it; pairs that were split join."""
    if text.isascii():
        return text
    return _SURROGATES.sub(
        lambda found: found[0].encode("utf-16", "surrogatepass").decode("utf-16") if found[1] else "?", text
    )


def clean_escapes(json_text: str) -> str:
    """JSON text with each escaped lone surrogate replaced by `?`; other JSON text stays as it is."""
    return _ESCAPE.sub(lambda found: "?" if found["lone"] else found[0], json_text)


def encode(value: Any) -> str:
    """`value` from `decode_reply` as JSON text, with every digit of its numbers."""
    mark = uuid4().hex
    text = json.dumps(value, default=lambda number: f"{mark}{number}")
    return re.sub(f'"{mark}([^"]+)"', r"\1", text)


def _decode_events(text: str) -> Any:
    data = without_framing(text)
    try:
        chunks = [_loads(data)]
    except ValueError:
        chunks = [_loads(line) for line in data.split("\n") if line.strip()]
    return chunks[0] if len(chunks) == 1 and not is_chunk(chunks[0]) else completion_of(chunks, is_done=is_done(text))


def _loads(text: str) -> Any:
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=_refuse)
    except RecursionError:
        return json.loads(_shallow(text), parse_float=Decimal, parse_constant=_refuse)


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


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
