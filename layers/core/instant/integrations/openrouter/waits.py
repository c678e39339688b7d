"""How long to wait before a refused call can succeed: headers, which OpenRouter also repeats in the body."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from math import ceil
from typing import Any

from instant.domain.exchange import Reply, seconds_to_wait
from instant.integrations.openrouter.parsing import mapping, text

HOUR = 3600
DAY = 24 * HOUR
"""The longest wait that is passed on."""

_RESETS = ("x-ratelimit-reset", "ratelimit-reset")
_REMAINING = ("x-ratelimit-remaining", "ratelimit-remaining")
_FIRST_TIMESTAMP = 10**9
_FIRST_MILLISECONDS = 10**11
_IN_WORDS = re.compile(
    r'(?:(?:try again|retry)(?: after| in)|"?retry_?delay"?\s*:)\s*"?(?P<number>[0-9]{1,7}(?:\.[0-9]{1,9})?)\s*'
    r"(?P<unit>ms|s|m|seconds?|minutes?)\b",
    re.IGNORECASE,
)
_UNITS = {"ms": 0.001, "s": 1, "m": 60}


def wait_of(reply: Reply, error: Mapping[str, Any]) -> int | None:
    """The seconds to wait, at most a day; None if neither the headers nor the `error` object give a time."""
    return next((min(wait, DAY) for wait in _waits(reply, error) if wait is not None), None)


def until_midnight(reply: Reply) -> int:
    """The seconds until midnight UTC after the reply's `Date`; an hour if it has none."""
    now = reply.date
    return HOUR if now is None else DAY - (now.hour * 3600 + now.minute * 60 + now.second)


def _waits(reply: Reply, error: Mapping[str, Any]) -> Iterator[int | None]:
    """The waits that the reply gives, the most exact source first."""
    metadata, availability = mapping(error.get("metadata")), mapping(error.get("availability"))
    repeated = {name.lower(): _text(value) for name, value in mapping(metadata.get("headers")).items()}
    for headers in (reply.headers, repeated):
        yield seconds_to_wait(headers.get("retry-after", ""), reply.date)
        yield _milliseconds(headers.get("retry-after-ms", ""))
    for value in (metadata.get("retry_after_seconds"), metadata.get("retry_after"), availability.get("retry_after")):
        yield seconds_to_wait(_text(value), reply.date)
    for headers in (reply.headers, repeated):
        yield _until_reset(headers, reply.date)
    for words in (metadata.get("raw"), error.get("message")):
        yield _in_words(text(words) or "")


def _text(value: object) -> str:
    return "" if value is None or isinstance(value, bool | dict | list) else f"{value}"


def _milliseconds(value: str) -> int | None:
    wait = seconds_to_wait(value, None)
    return None if wait is None else ceil(wait / 1000)


def _until_reset(headers: Mapping[str, str], now: datetime | None) -> int | None:
    """The time until a limit that is used up is reset: seconds, or a timestamp in seconds or milliseconds."""
    is_used_up = all(headers.get(name, "0").strip() in {"", "0"} for name in _REMAINING)
    value = next(filter(None, map(headers.get, _RESETS)), "")
    reset = seconds_to_wait(value, now) if is_used_up else None
    if reset is None or reset < _FIRST_TIMESTAMP:
        return reset
    return None if now is None else max(0, ceil(_seconds_since_1970(reset) - now.astimezone(UTC).timestamp()))


def _seconds_since_1970(timestamp: int) -> float:
    return timestamp / 1000 if timestamp >= _FIRST_MILLISECONDS else timestamp


def _in_words(words: str) -> int | None:
    found = _IN_WORDS.search(words[:20_000])
    if found is None:
        return None
    unit = "ms" if found["unit"].lower() == "ms" else found["unit"][0].lower()
    return ceil(float(found["number"]) * _UNITS[unit])
