"""Texts and lists that arrive in pieces, in little more memory than their characters."""

from collections.abc import Mapping
from typing import Any

_FIELDS = ("text", "summary", "thinking", "refusal")
"""The fields of a part that hold a text which can arrive in pieces."""

_VALUE = 64
"""What a value takes in memory besides its characters."""


class Text:
    """A text that arrives in pieces: kept as UTF-8, since many short strings take many times the memory."""

    __slots__ = ("_data",)

    def __init__(self) -> None:
        """Begin with an empty text."""
        self._data = bytearray()

    def add(self, piece: str) -> int:
        """Append the piece, which can end with half of a surrogate pair; returns its size in bytes."""
        data = piece.encode("utf-8", "surrogatepass")
        self._data += data
        return len(data)

    def value(self) -> str:
        """The whole text."""
        return self._data.decode("utf-8", "surrogatepass")

    def __len__(self) -> int:
        """Its size in bytes."""
        return len(self._data)


class Parts:
    """A list of parts, in which a piece of a text continues a part if nothing else differs.

    A piece with an index continues the last part of its type and index, any other the last part.
    """

    def __init__(self) -> None:
        """Begin with an empty list."""
        self._parts: list[Any] = []
        self._indexed: dict[tuple[str, str], Any] = {}

    def add(self, part: Any) -> int:
        """Append the part, or join it to the last one; returns by how much the list grows, in bytes."""
        piece = _Piece(part) if isinstance(part, dict) else None
        key = (str(part.get("type")), str(part["index"])) if piece and "index" in part else None
        last = self._indexed.get(key) if key else (self._parts[-1] if self._parts else None)
        if piece and isinstance(last, _Piece) and last.is_continued_by(piece):
            return last.join(piece)
        self._parts.append(piece if piece and piece.field else part)
        if key:
            self._indexed[key] = self._parts[-1]
        return size_of(part)

    def value(self) -> list[Any]:
        """The whole list."""
        return [part.value() if isinstance(part, _Piece) else part for part in self._parts]


class _Piece:
    """A part with a text; a part without one can only sign the text before it."""

    __slots__ = ("_order", "_others", "_text", "field")

    def __init__(self, part: Mapping[str, Any]) -> None:
        self.field = next((name for name in _FIELDS if isinstance(part.get(name), str)), None)
        self._order = list(part)
        self._others = {name: value for name, value in part.items() if name != self.field}
        self._text = Text()
        if self.field:
            self._text.add(part[self.field])

    def is_continued_by(self, piece: "_Piece") -> bool:
        """Whether the piece belongs to this text: a text that is signed is complete."""
        if self._others.get("signature") and piece._text:
            return False
        is_text = piece.field == self.field or (piece.field is None and "signature" in piece._others)
        return is_text and all(
            _is_missing(value) or _is_missing(self._others.get(name)) or value == self._others[name]
            for name, value in piece._others.items()
        )

    def join(self, piece: "_Piece") -> int:
        """Append the piece, and take over what is known only now."""
        known = self._others
        new = {
            name: value
            for name, value in piece._others.items()
            if name not in known or (_is_missing(known[name]) and not _is_missing(value))
        }
        self._order += [name for name in new if name not in known]
        self._others |= new
        self._text._data += piece._text._data
        return len(piece._text) + sum(map(size_of, new.values()))

    def value(self) -> dict[str, Any]:
        """The part as one object, in the order in which its fields came."""
        return {name: self._text.value() if name == self.field else self._others[name] for name in self._order}


def _is_missing(value: object) -> bool:
    return value is None or value == ""


def size_of(value: Any) -> int:
    """About what a JSON value takes in memory, in bytes."""
    size, pending = 0, [value]
    while pending:
        item = pending.pop()
        size += _VALUE
        if isinstance(item, str):
            size += len(item)
        elif isinstance(item, dict):
            size += sum(map(len, item)) + _VALUE * len(item)
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(item)
    return size
