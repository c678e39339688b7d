"""Parse request bodies: limited size, strict JSON, an object; limits are checked before parsing."""

import json
import re
from base64 import b64decode
from collections.abc import Mapping
from math import isinf
from typing import Any

from pydantic_core import from_json

from instant.domain.errors import InvalidField, Malformed, TooLarge, UnsupportedMediaType
from instant.domain.limits import MAX_JSON_DEPTH, MAX_JSON_VALUES, MAX_NUMBER_DIGITS
from instant.domain.validation import MAX_NAME_LENGTH

JSON = "application/json"

_MARK = re.compile(r'(?:[^"\[\]{},]++|"[^"\\]*+(?:\\.[^"\\]*+)*+"?)*+([\[\]{},]|\Z)', re.DOTALL)
"""The next bracket or comma outside a string; matches without backtracking, so the time is linear."""


def check_body(event: Mapping[str, Any], max_bytes: int) -> None:
    """Reject, without parsing, a body that is not JSON by its type, not text, or longer than `max_bytes`."""
    body = event.get("body")
    if body is None:
        return
    if not _is_json(event):
        raise UnsupportedMediaType("Send the body as Content-Type: application/json, in UTF-8.")
    size = len(_bytes_of(body, is_base64=bool(event.get("isBase64Encoded"))))
    if size > max_bytes:
        raise TooLarge(
            f"The body takes {size} bytes; {max_bytes} are allowed. Send less, or links instead of images.",
            details={"limit": "body_bytes", "most": max_bytes},
        )


def read_json(text: str) -> Any:
    """Parse strict JSON: finite numbers, no lone surrogates, duplicate keys or NUL, limited depth and size.

    A list is rejected too: the router would use its first element as the body.
    """
    check_extent(text)
    try:
        value = from_json(text, allow_inf_nan=False)
        json.loads(text, object_pairs_hook=_refuse_repeated, parse_float=_refuse_endless, parse_int=_refuse_long)
    except (TypeError, ValueError):  # TypeError: the text has a lone surrogate
        value = []
    if "\\u0000" in text:
        _refuse_nul(value)
    if isinstance(value, list):
        raise json.JSONDecodeError("no JSON object", "", 0)
    return value


def check_extent(text: str) -> None:
    """Reject JSON that is too deep or too large; the syntax is checked by the parser."""
    depth = values = 0
    for found in _MARK.finditer(text):
        mark = found[1]
        if mark in ("{", "["):
            depth += 1
        elif mark in ("}", "]"):
            depth -= 1
        values += mark in ("{", "[", ",")
        if depth > MAX_JSON_DEPTH:
            raise Malformed(
                f"The body is nested more than {MAX_JSON_DEPTH} levels deep. Send a flatter one.",
                details={"limit": "json_depth", "most": MAX_JSON_DEPTH},
            )
        if values > MAX_JSON_VALUES:
            raise TooLarge(
                f"The body has more than {MAX_JSON_VALUES} objects, lists and members. Send fewer.",
                details={"limit": "json_values", "most": MAX_JSON_VALUES},
            )
        if depth < 0:
            return


def _bytes_of(body: str, *, is_base64: bool) -> bytes:
    if not is_base64:
        return body.encode("utf-8", "surrogatepass")
    try:
        raw = b64decode(body, validate=True)
        raw.decode()
    except ValueError:
        raise Malformed("The body is not text in UTF-8.") from None
    return raw


def _is_json(event: Mapping[str, Any]) -> bool:
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    kind, *parameters = str(headers.get("content-type") or JSON).lower().split(";")
    charsets = {
        value.strip().strip('"')
        for name, _, value in (part.partition("=") for part in parameters)
        if name.strip() == "charset"
    }
    return kind.strip() == JSON and charsets <= {"utf-8", "utf8"}


def _refuse_nul(value: Any, field: str = "body") -> None:
    """Reject NUL: no text needs it, and some consumers end the text there."""
    match value:
        case str() if "\0" in value:
            raise InvalidField.named(field[:MAX_NAME_LENGTH], "has a NUL character; take it out")
        case dict():
            for name, part in value.items():
                _refuse_nul(name, field)
                _refuse_nul(part, name if field == "body" else f"{field}.{name}")
        case list():
            for number, part in enumerate(value):
                _refuse_nul(part, f"{field}.{number}")


def _refuse_repeated(pairs: list[tuple[str, Any]]) -> None:
    """Reject duplicate keys: parsers differ in which value they use."""
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a key is duplicated")


def _refuse_endless(digits: str) -> None:
    """Reject numbers such as 1e400, which are valid JSON but parse as infinity."""
    if isinf(float(digits)):
        raise ValueError("a number is too large")


def _refuse_long(digits: str) -> None:
    if len(digits.lstrip("-")) > MAX_NUMBER_DIGITS:
        raise TooLarge(
            f"The body has an integer of more than {MAX_NUMBER_DIGITS} digits. Send a smaller one, or text.",
            details={"limit": "number_digits", "most": MAX_NUMBER_DIGITS},
        )
