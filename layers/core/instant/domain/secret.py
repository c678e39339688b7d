"""A secret value that cannot appear in a log, error, trace, template or table by accident, and its mask."""

import re
from typing import Any, NoReturn

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from instant.domain.json_values import map_strings

MASK = "[key]"
"""What replaces a secret in text that came from outside."""


_BACKSLASHES = r"(?<!\\)\\(?:\\|u005(?i:c))*+"
"""A run of backslashes, from its first one, that escape each other."""

_CUT_ESCAPE = rf"{_BACKSLASHES}(?:u0{{0,2}}|u00[\da-fA-F])?\Z"
"""An escape that the end of the text cuts off."""


class Secret:
    """A string that repr, str, format, JSON and pickle never expose; only `reveal()` returns it."""

    __slots__ = ("__value",)

    def __init__(self, value: str) -> None:
        """Wrap `value`."""
        self.__value = value

    def reveal(self) -> str:
        """Return the value: call this only where the value leaves the process."""
        return self.__value

    def __repr__(self) -> str:
        """Hide the value."""
        return "Secret(…)"

    def __str__(self) -> str:
        """Fail closed: a secret in an f-string is a bug."""
        raise TypeError("a Secret has no text form; use reveal() where it leaves the process")

    def __format__(self, spec: str) -> str:
        """Fail closed."""
        return str(self)

    def __reduce__(self) -> NoReturn:
        """Fail closed: a pickle would contain the secret in plaintext."""
        raise TypeError("a Secret cannot be pickled or copied")

    def __eq__(self, other: object) -> bool:
        """Compare by value."""
        return isinstance(other, Secret) and other.reveal() == self.__value

    def __hash__(self) -> int:
        """Hashable without exposing the value."""
        return hash(self.__value)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Allow secrets in request models: parsed from a string, never serialized."""

        return core_schema.no_info_after_validator_function(
            cls,
            core_schema.str_schema(strict=True, min_length=1, max_length=4096),
            serialization=core_schema.plain_serializer_function_ser_schema(_refuse),
        )


def _refuse(value: object) -> NoReturn:
    raise TypeError("a Secret cannot be serialized")


class Mask:
    """Replaces a secret in what a service sent, to any depth; None: nothing.

    The secret is also found where JSON escapes its characters, and where blanks are between them, as parts of a text
    that are joined can have.
    """

    __slots__ = ("__patterns", "__secret")

    def __init__(self, secret: Secret | None) -> None:
        """Mask `secret`."""
        self.__secret = secret
        self.__patterns = dict[tuple[bool, bool], re.Pattern[str]]()

    def text(self, text: str) -> str:
        """`text` without the secret."""
        if self.__secret is None:
            return text
        masked, is_escaped = text.replace(self.__secret.reveal(), MASK), "\\u00" in text
        if len(masked) <= len(self.__secret.reveal()) and not is_escaped:
            return masked
        return self._pattern(is_escaped=is_escaped).sub(MASK, masked)

    def settled(self, text: str) -> int:
        """The length of what no further text can change in masked `text`: the rest can be the beginning of the secret.

        So a text that arrives in pieces is masked like a whole one.
        """
        if self.__secret is None:
            return len(text)
        found = self._pattern(is_escaped="\\" in text, is_beginning=True).search(text)
        return found.start() if found else len(text)

    def data(self, data: bytes) -> bytes:
        """`data` without the secret; it is copied only if it can contain an escape."""
        if self.__secret is None:
            return data
        masked = data.replace(self.__secret.reveal().encode(), MASK.encode())
        return self.text(masked.decode("latin-1")).encode("latin-1") if b"\\u00" in masked else masked

    def value(self, value: Any) -> Any:
        """A JSON value without the secret in any string or object key."""
        return map_strings(value, self.text) if self.__secret is not None else value

    def _pattern(self, *, is_escaped: bool, is_beginning: bool = False) -> re.Pattern[str]:
        """The secret, or its beginning at the end of a text, with or without escapes."""
        kind = (is_escaped, is_beginning)
        if kind not in self.__patterns:
            secret = self.__secret.reveal() if self.__secret else ""
            self.__patterns[kind] = _pattern(secret, is_escaped=is_escaped, is_beginning=is_beginning)
        return self.__patterns[kind]


def _pattern(secret: str, *, is_escaped: bool, is_beginning: bool) -> re.Pattern[str]:
    """The secret with blanks between its characters; a beginning ends with the text, and anything can follow.

    JSON in a string of JSON escapes the backslashes again. Only the first backslash of a run begins a match, and
    nothing is tried twice: the time is linear.
    """
    first, *others = (_spellings(each, is_escaped, is_beginning) for each in secret)
    if is_beginning:
        others = [rf"{each}|\Z" for each in others]
    blanks = "" if any(map(str.isspace, secret)) else r"\s*+"
    return re.compile(blanks.join(f"(?:{each})" for each in (first, *others)))


def _spellings(character: str, is_escaped: bool, is_beginning: bool) -> str:
    """The character itself, or its escape, which the end of the text can cut off."""
    if not is_escaped:
        return re.escape(character)
    escaped = rf"{re.escape(character)}|{_BACKSLASHES}u00(?i:{ord(character):02x})"
    return f"{escaped}|{_CUT_ESCAPE}" if is_beginning else escaped
