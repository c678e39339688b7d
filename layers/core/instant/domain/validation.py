"""Validation of untrusted data into a model, with errors that name the field and never contain the value."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from instant.domain.error_bodies.fields import redacted_field
from instant.domain.errors import InvalidField

_WORDS = {
    "missing": "is required",
    "extra_forbidden": "is not a known field",
}

MAX_NAME_LENGTH = 200
"""Maximum length of a field name in an error."""


def parse[M: BaseModel](shape: type[M], data: Mapping[str, Any], where: str) -> M:
    """Validate `data` as a `shape`; `InvalidField` names the first invalid field, as a path below `where`."""
    try:
        return shape.model_validate(data)
    except ValidationError as error:
        raise invalid_field(error.errors(include_url=False, include_input=False), (where,)) from None


def invalid_field(errors: Iterable[Mapping[str, Any]], prefix: tuple[str, ...] = ()) -> InvalidField:
    """Convert pydantic's errors: the first invalid field, and the number of others."""
    listed = list(errors)
    fields = [
        ".".join(str(part) for part in (*prefix, *each["loc"]))[:MAX_NAME_LENGTH] or "body" for each in listed[:10]
    ]
    problem = _problem(listed[0])
    error = InvalidField.named(fields[0], problem)
    if len(fields) > 1:
        error.details["more"] = [redacted_field(field) for field in fields[1:]]
    return error


def _problem(error: Mapping[str, Any]) -> str:
    """What is wrong, without the value."""
    if error["type"] == "string_pattern_mismatch":
        return f"does not match the pattern {error['ctx']['pattern']}"
    return _WORDS.get(error["type"]) or str(error.get("msg") or "is not valid").removeprefix("Value error, ")
