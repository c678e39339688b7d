"""Field types shared by several requests and responses."""

import re
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from instant.domain.limits import MAX_DESCRIPTION_CHARACTERS, MAX_ID_CHARACTERS, MAX_NAME_CHARACTERS

_YEARS = range(1970, 3000)

type Choice[E: StrEnum] = Annotated[E, Field(strict=False)]
type Name = Annotated[str, StringConstraints(min_length=1, max_length=MAX_NAME_CHARACTERS, pattern=r"\S")]
type Text = Annotated[str, StringConstraints(max_length=MAX_DESCRIPTION_CHARACTERS)]
type Id = Annotated[str, StringConstraints(min_length=1, max_length=MAX_ID_CHARACTERS)]
type UsdAmount = Annotated[
    Decimal, Field(strict=False, ge=0, le=1_000, max_digits=13, decimal_places=9), BeforeValidator(decimal_number)
]
type Moment = Annotated[AwareDatetime, Field(strict=False), BeforeValidator(_iso_text), AfterValidator(_known_year)]
type Day = Annotated[date, Field(strict=False), BeforeValidator(_day_text)]
type Usd = Annotated[str, Field(description="US dollars as a plain decimal number.", examples=["0.000081"])]
type Time = Annotated[str, Field(description="ISO 8601 in UTC.", examples=["2026-11-22T20:17:24.000123Z"])]
type JsonObject = dict[str, Any]


def decimal_number(value: object) -> object:
    """Reject strings that only Decimal reads as numbers: `1_000`, blanks, the digits of other scripts."""
    if isinstance(value, str) and not re.fullmatch(r"[+-]?(?=\.?[0-9])[0-9]*\.?[0-9]*([eE][+-]?[0-9]{1,3})?", value):
        raise ValueError("must be a decimal number, such as 0.25")
    return value


def _iso_text(value: object) -> object:
    """Reject numbers and digit strings, which would be parsed as Unix time."""
    if not isinstance(value, str) or not re.match(r"\d{4}-\d\d-\d\dT", value):
        raise ValueError("must be a time with its zone, such as 2030-01-31T12:00:00Z")
    return value


def _day_text(value: object) -> object:
    """A date only: date-times and Unix times are rejected."""
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        raise ValueError("must be a day, such as 2030-01-31")
    return value


def _known_year(value: datetime) -> datetime:
    """Years with four digits, far from the first and the last of the calendar: no zone or duration leads out of it."""
    if value.year not in _YEARS:
        raise ValueError(f"must be a time in the years {_YEARS[0]} to {_YEARS[-1]}")
    return value


def given(*names: str) -> dict[str, Any]:
    """The JSON Schema of bodies that contain all these fields, none of them null."""
    return {"required": list(names), "properties": {name: {"not": {"type": "null"}} for name in names}}


class Body(BaseModel):
    """The base of all bodies: strict types, except that JSON uses strings for times, enums and money."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, strict=True, defer_build=True)
