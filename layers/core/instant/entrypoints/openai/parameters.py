"""How fields of OpenAI's requests are treated that this API does not pass on: without effect, or refused by name."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, core_schema


@dataclass(frozen=True, slots=True)
class Ignored:
    """A field that is accepted without effect: with any value, or with one of `values` only."""

    values: tuple[object, ...] = ()
    instead: str = ""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Refuse other values; null is the same as an absent field."""
        return core_schema.no_info_before_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """The values, if they are few."""
        return {"enum": [*self.values, None]} if self.values else {}

    def _check(self, value: object) -> object:
        shown = [json.dumps(known) for known in self.values]
        if value is None or not shown or json.dumps(value) in shown:
            return value
        raise ValueError(f"can only be {' or '.join(shown)} here; {self.instead}")


@dataclass(frozen=True, slots=True)
class Refused:
    """A field that is refused by name unless it is null; `instead` says what to do."""

    instead: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Refuse every value but null."""
        return core_schema.no_info_before_validator_function(self._check, handler(source))

    def _check(self, value: object) -> object:
        if value is None:
            return value
        raise ValueError(f"is not supported; {self.instead}")


def ignored(body: type[BaseModel]) -> Iterator[tuple[str, Ignored]]:
    """The fields of `body` that are accepted without effect."""
    return _marked(body, Ignored)


def refused(body: type[BaseModel]) -> Iterator[tuple[str, Refused]]:
    """The fields of `body` that are refused by name."""
    return _marked(body, Refused)


def passed_on(body: type[BaseModel]) -> Iterator[tuple[str, FieldInfo]]:
    """All other fields of `body`."""
    unused = {name for name, _ in (*ignored(body), *refused(body))}
    return ((name, field) for name, field in body.model_fields.items() if name not in unused)


def _marked[Mark](body: type[BaseModel], kind: type[Mark]) -> Iterator[tuple[str, Mark]]:
    for name, field in body.model_fields.items():
        for mark in field.metadata:
            if isinstance(mark, kind):
                yield name, mark
