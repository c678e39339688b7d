"""Estimates the work of validating inputs against a schema, before validating them."""

from collections.abc import Mapping
from typing import Any

from instant.domain.errors import InvalidField, TooLarge
from instant.domain.limits import MAX_PATTERN_BYTES, MAX_PATTERNS, MAX_SCHEMA_STEPS

TEXT_STEP = 500
"""The number of characters that count as one value."""

_OF_THE_WHOLE = ("allOf", "anyOf", "oneOf", "enum", "const")
"""Keywords that apply to all inputs, besides the schema of each input."""

_UNCHECKED = {"title", "description", "default", "examples", "format"}


def refuse_many_patterns(schema: Any, where: str) -> None:
    """Limit the number of patterns, since each is compiled even if it is not used."""
    if _uses(schema, "pattern", str) > MAX_PATTERNS:
        raise InvalidField.named(where, f"can have at most {MAX_PATTERNS} patterns")


def check_work(schema: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Raise `TooLarge` for values that need too many validation steps.

    No part of a schema visits a value twice, and an input's schema visits only that input. So the number of steps is
    at most the values in the schema times the values in the input; for `uniqueItems`, where elements are compared with
    each other, it is the square of the latter.
    """
    whole = [({keyword: schema[keyword]}, values) for keyword in _OF_THE_WHOLE if keyword in schema]
    pairs = [*whole, *((part, values[name]) for name, part in schema["properties"].items() if name in values)]
    if sum(_steps(part, value) for part, value in pairs) > MAX_SCHEMA_STEPS:
        raise TooLarge(
            f"Validating the inputs would take more than {MAX_SCHEMA_STEPS} steps (the values in an input times the "
            "values in its schema). Send less, or use a simpler input_schema.",
            details={"limit": "schema_steps", "most": MAX_SCHEMA_STEPS},
        )
    if sum(_pattern_bytes(part, value) for part, value in pairs) > MAX_PATTERN_BYTES:
        raise TooLarge(
            f"The patterns of the input_schema would have to search more than {MAX_PATTERN_BYTES} bytes. "
            "Send less, or use fewer patterns.",
            details={"limit": "pattern_bytes", "most": MAX_PATTERN_BYTES},
        )


def _steps(schema: Any, value: Any) -> int:
    size = _weight(value)
    return size * (_weight(_checked(schema)) + size * _uses(schema, "uniqueItems", bool))


def _pattern_bytes(schema: Any, value: Any) -> int:
    patterns = _uses(schema, "pattern", str)
    return patterns * _text_bytes(value) if patterns else 0


def _weight(value: Any) -> int:
    """The number of nested values in a value, including itself; long text counts as more than one."""
    match value:
        case str():
            return 1 + len(value) // TEXT_STEP
        case dict():
            return 1 + sum(map(_weight, value.values())) + sum(len(name) // TEXT_STEP for name in value)
        case list():
            return 1 + sum(map(_weight, value))
        case _:
            return 1


def _text_bytes(value: Any) -> int:
    match value:
        case str():
            return len(value.encode())
        case dict():
            return sum(map(_text_bytes, value.values()))
        case list():
            return sum(map(_text_bytes, value))
        case _:
            return 0


def _checked(schema: Any) -> Any:
    """The schema without annotations."""
    if not isinstance(schema, dict):
        return schema
    return {keyword: part for keyword, part in schema.items() if keyword not in _UNCHECKED}


def _uses(schema: Any, keyword: str, kind: type) -> int:
    """The number of occurrences of a keyword in a schema."""
    parts = list(schema.values()) if isinstance(schema, dict) else schema if isinstance(schema, list) else []
    here = isinstance(schema, dict) and isinstance(schema.get(keyword), kind)
    return here + sum(_uses(part, keyword, kind) for part in parts)
