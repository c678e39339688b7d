"""Parse query parameters with comma-separated values or relative days."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import BeforeValidator, Field

from instant.domain.catalog.model import NEAR_END
from instant.entrypoints.http.fields import Moment, decimal_number

AnyOf = Annotated[
    str | None, Query(max_length=500, description="One or more values, comma-separated; matches any of them.")
]
AllOf = Annotated[
    str | None, Query(max_length=500, description="One or more values, comma-separated; matches all of them.")
]
Days = Annotated[int | None, Query(ge=0, le=36_500, description="Calendar days in UTC.")]
At = Annotated[Moment | None, Query(description="The catalog at this time.")]
Price = Annotated[
    Annotated[Decimal, Field(ge=0), BeforeValidator(decimal_number)] | None, Query(description="USD per prompt token.")
]
Expiring = Annotated[
    bool | None,
    Query(description=f"Whether its announced end is within {NEAR_END.days} days, or within expiring_within_days."),
]


def words(text: str | None) -> frozenset[str] | None:
    """The comma-separated values; None for an empty parameter."""
    return frozenset(word for part in (text or "").split(",") if (word := part.strip())) or None


def days_before(today: date, days: int | None) -> date | None:
    """The date this many days ago."""
    return None if days is None else today - timedelta(days)


def ending(today: date, *, expiring: bool | None, within: int | None) -> tuple[date | None, date | None]:
    """By which day a model is to end, and which day it is to outlast; a horizon alone asks for what ends by it."""
    horizon = today + (NEAR_END if within is None else timedelta(within))
    if expiring is False:
        return None, horizon
    return (None, None) if expiring is None and within is None else (horizon, None)
