"""A secret value that cannot appear in a log, error, trace, template or table by accident, and its mask."""

import re
from typing import Any, NoReturn

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from instant.domain.json_values import map_strings

MASK = "[key]"
"""What replaces a secret in text that came from outside."""


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

    __slots__ = ("__secret",)

    def __init__(self, secret: Secret | None) -> None:
        """Mask `secret`."""
        self.__secret = secret

    def text(self, text: str) -> str:
        """`text` without the secret."""
        if self.__secret is None:
            return text
        masked = text.replace(self.__secret.reveal(), MASK)
        return self._escaped().sub(MASK, masked) if "\\u00" in masked else masked

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
        characters = self.__secret.reveal() if self.__secret else ""
        backslashes = r"(?<!\\)\\(?:\\|u005(?i:c))*+"
        either = (rf"(?:{re.escape(each)}|{backslashes}u00(?i:{ord(each):02x}))" for each in characters)
        return re.compile("".join(either))
