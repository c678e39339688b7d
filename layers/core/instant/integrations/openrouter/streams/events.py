"""Reads the JSON in server-sent events while they arrive."""

import re
from collections.abc import Iterator
from typing import Any

from instant.domain.exchange import Unreadable, too_long
from instant.integrations.openrouter.json_text import loads

_END_OF_LINE = re.compile(rb"\r\n|\r|\n")
_DONE = re.compile(r"data:[ \t]*\[DONE\]\s*\Z")
_IGNORED = re.compile(r":|(?:event|id|retry):")
_LINE = 64
"""What a short line takes in memory besides its characters."""


class EventReader:
    """The JSON values of a stream, each as soon as it is complete.

    It reads more than the standard allows, because some replies are JSON with the framing of events around it: values
    need not have blank lines between them, a line without the name of a field is data, and a value can be spread over
    lines, and over blank lines where it is the only one. JSON strings contain no line breaks, so that no line of a
    JSON text begins like a line of an event. `is_done` says whether `[DONE]` arrived, and `is_broken` whether
    something arrived that is not JSON.
    """

    def __init__(self, most: int | None = None) -> None:
        """Raise `TooLarge` for a value of more than `most` bytes."""
        self.is_done = self.is_broken = False
        self._most = most
        self._rest = bytearray()
        self._follows_return = self._has_begun = False
        self._lines: list[str] = []
        self._size = 0
        self._has_values = self._is_one_text = False

    def feed(self, data: bytes) -> Iterator[Any]:
        """The values that are complete with the next bytes; raises `Unreadable` if they are not text in UTF-8."""
        if not data:
            return
        if 0 in data:
            raise Unreadable.not_text()
        data, self._follows_return = data[self._follows_return and data[:1] == b"\n" :], data.endswith(b"\r")
        *lines, rest = _END_OF_LINE.split(data)
        for line in lines:
            yield from self._line(self._with_rest(line))
        self._rest += rest
        self._check(len(self._rest))

    def finish(self) -> Iterator[Any]:
        """The values of the last lines, which need no line break."""
        if self._rest:
            yield from self._line(self._with_rest(b""))
        self._is_one_text = False
        yield from self._dispatch()
        self.is_broken = self.is_broken or bool(self._lines)

    def _with_rest(self, line: bytes) -> str:
        self._rest += line
        try:
            text = self._rest.decode()
        except UnicodeDecodeError:
            raise Unreadable.not_text() from None
        self._rest = bytearray()
        first, self._has_begun = not self._has_begun, True
        return text.removeprefix("\ufeff") if first else text

    def _line(self, line: str) -> Iterator[Any]:
        line = line.strip()
        if not line:
            yield from self._dispatch()
            return
        if line.endswith("[DONE]") and (done := _DONE.search(line)):
            self.is_done, line = True, line[: done.start()]
        if line.startswith("data:"):
            line = line[5:].lstrip(" \t")
        elif _IGNORED.match(line):
            return
        if line:
            yield from self._data(line)

    def _data(self, data: str) -> Iterator[Any]:
        """Most values are one line, and are read without waiting for the blank line behind it."""
        if self.is_broken:
            return
        if not self._lines and (values := _values([data])) is not None:
            self._has_values = True
            yield from values
            return
        self._lines.append(data)
        self._size += len(data) + _LINE
        self._check(self._size)

    def _dispatch(self) -> Iterator[Any]:
        """Read what was held since the last value: one value in lines, or one in each line."""
        if not self._lines or self._is_one_text:
            return
        values = _values(["\n".join(self._lines)]) or _values(self._lines)
        if values is None and not self._has_values:
            self._is_one_text = True
            return
        self.is_broken, self._has_values = values is None, True
        self._lines, self._size = [], 0
        yield from values or ()

    def _check(self, size: int) -> None:
        if self._most is not None and size > self._most:
            raise too_long(self._most)


def _values(texts: list[str]) -> list[Any] | None:
    try:
        return [loads(text) for text in texts]
    except ValueError:
        return None
