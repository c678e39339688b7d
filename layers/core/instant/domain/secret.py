"""A value that no log, error, trace, template or table can show by accident."""

from typing import Any, NoReturn

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema


class Secret:
    """A string whose repr, str, format, JSON and pickle never show it; `reveal()` is the only way in."""

    __slots__ = ("__value",)

    def __init__(self, value: str) -> None:
        """Close over `value`."""
        self.__value = value

    def reveal(self) -> str:
        """The value itself: call this at the last moment, where the value leaves the process."""
        return self.__value

    def __repr__(self) -> str:
        """Hide the value."""
        return "Secret(…)"

    def __str__(self) -> str:
        """Fail closed: a secret in an f-string is a bug."""
        raise TypeError("a Secret has no text; use reveal() where it leaves the process")

    def __format__(self, spec: str) -> str:
        """Fail closed."""
        return str(self)

    def __reduce__(self) -> NoReturn:
        """Fail closed: a pickled secret is a secret in clear."""
        raise TypeError("a Secret cannot be pickled or copied")

    def __eq__(self, other: object) -> bool:
        """Equal values are equal."""
        return isinstance(other, Secret) and other.reveal() == self.__value

    def __hash__(self) -> int:
        """Usable as a key without showing the value."""
        return hash(self.__value)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Let request models hold secrets: read from a string, never written back."""

        return core_schema.no_info_after_validator_function(
            cls,
            core_schema.str_schema(strict=True, min_length=1, max_length=4096),
            serialization=core_schema.plain_serializer_function_ser_schema(_refuse),
        )


def _refuse(value: object) -> NoReturn:
    raise TypeError("a Secret cannot be serialised")
