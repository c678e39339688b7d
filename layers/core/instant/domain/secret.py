"""A secret value that cannot appear in a log, error, trace, template or table by accident, and its mask."""

import re
from collections.abc import Iterator
from typing import Any, NoReturn

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from instant.domain.json_values import map_strings

MASK = "[key]"
"""What replaces a secret in text that came from outside."""


_BACKSLASHES = r"(?<!\\)\\(?:\\|u005(?i:c))*+"
"""A run of backslashes, from its first one, that escape each other."""


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
    """Replaces a secret in what a service sent, also where JSON escapes its characters, to any depth; None: nothing."""

    __slots__ = ("__beginning", "__secret")

    def __init__(self, secret: Secret | None) -> None:
        """Mask `secret`."""
        self.__secret = secret
        self.__beginning: re.Pattern[str] | None = None

    def text(self, text: str) -> str:
        """`text` without the secret."""
        if self.__secret is None:
            return text
        masked = text.replace(self.__secret.reveal(), MASK)
        return self._escaped().sub(MASK, masked) if "\\u00" in masked else masked

    def settled(self, text: str) -> int:
        """The length of what no further text can change in masked `text`: the rest can be the beginning of the secret.

        So a text that arrives in pieces is masked like a whole one.
        """
        if self.__secret is None:
            return len(text)
        if "\\" in text:
            self.__beginning = self.__beginning or self._beginning()
            found = self.__beginning.search(text)
            return found.start() if found else len(text)
        secret = self.__secret.reveal()
        at = text.find(secret[0], max(0, len(text) - len(secret) + 1))
        while at >= 0 and not secret.startswith(text[at:]):
            at = text.find(secret[0], at + 1)
        return len(text) if at < 0 else at

    def data(self, data: bytes) -> bytes:
        """`data` without the secret; it is copied only if it can contain an escape."""
        if self.__secret is None:
            return data
        masked = data.replace(self.__secret.reveal().encode(), MASK.encode())
        return self.text(masked.decode("latin-1")).encode("latin-1") if b"\\u00" in masked else masked

    def value(self, value: Any) -> Any:
        """A JSON value without the secret in any string or object key."""
        return map_strings(value, self.text) if self.__secret is not None else value

    def _escaped(self) -> re.Pattern[str]:
        """The secret with any of its characters escaped: JSON in a string of JSON escapes the backslashes again.

        Only the first backslash of a run begins a match, and nothing is tried twice: the time is linear.
        """
        return re.compile("".join(f"(?:{either})" for either in self._spellings()))

    def _beginning(self) -> re.Pattern[str]:
        """The secret as far as the text goes: after its end, anything can follow."""
        cut = rf"{_BACKSLASHES}(?:u0{{0,2}}|u00[\da-fA-F])?\Z"
        first, *others = (f"{either}|{cut}" for either in self._spellings())
        return re.compile(f"(?:{first})" + "".join(rf"(?:{each}|\Z)" for each in others))

    def _spellings(self) -> Iterator[str]:
        """Each character of the secret: itself, or its escape."""
        for each in self.__secret.reveal() if self.__secret else "":
            yield rf"{re.escape(each)}|{_BACKSLASHES}u00(?i:{ord(each):02x})"
