"""Reading untrusted data into a model, with errors that name the field and never repeat the value."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from instant.domain.errors import InvalidField

_WORDS = {
    "missing": "is required",
    "extra_forbidden": "is not a field here",
    "string_pattern_mismatch": "does not have the expected form",
}


def parse[M: BaseModel](shape: type[M], data: Mapping[str, Any], where: str) -> M:
    """`data` as a `shape`; `InvalidField` names the first field that does not fit, below `where`."""
    try:
        return shape.model_validate(data)
    except ValidationError as error:
        raise invalid_field(error.errors(include_url=False, include_input=False), (where,)) from None


def invalid_field(errors: Iterable[Mapping[str, Any]], prefix: tuple[str, ...] = ()) -> InvalidField:
    """Our error for pydantic's: the first field, and how many more there are."""
    listed = list(errors)
    field = ".".join(str(part) for part in (*prefix, *listed[0]["loc"])) or "body"
    problem = _WORDS.get(listed[0]["type"]) or str(listed[0].get("msg") or "is not valid")
    error = InvalidField.named(field, problem)
    if len(listed) > 1:
        error.details["more"] = [".".join(str(part) for part in (*prefix, *other["loc"])) for other in listed[1:10]]
    return error
