"""Reading untrusted data into a model, with errors that name the field and never repeat the value."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from instant.domain.errors import InvalidField, redacted_field

_WORDS = {
    "missing": "is required",
    "extra_forbidden": "is not a field here",
    "string_pattern_mismatch": "does not have the expected form",
}

MAX_NAME_LENGTH = 200
"""A field's name is repeated to its sender up to this length."""


def parse[M: BaseModel](shape: type[M], data: Mapping[str, Any], where: str) -> M:
    """`data` as a `shape`; `InvalidField` names the first field that does not fit, below `where`."""
    try:
        return shape.model_validate(data)
    except ValidationError as error:
        raise invalid_field(error.errors(include_url=False, include_input=False), (where,)) from None


def invalid_field(errors: Iterable[Mapping[str, Any]], prefix: tuple[str, ...] = ()) -> InvalidField:
    """Our error for pydantic's: the first field, and how many more there are."""
    listed = list(errors)
    fields = [
        ".".join(str(part) for part in (*prefix, *each["loc"]))[:MAX_NAME_LENGTH] or "body" for each in listed[:10]
    ]
    problem = _WORDS.get(listed[0]["type"]) or str(listed[0].get("msg") or "is not valid").removeprefix("Value error, ")
    error = InvalidField.named(fields[0], problem)
    if len(fields) > 1:
        error.details["more"] = [redacted_field(field) for field in fields[1:]]
    return error
