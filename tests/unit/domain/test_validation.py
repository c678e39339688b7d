"""Errors about untrusted data name the field and never repeat the value."""

import json
from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from instant.domain.errors import InvalidField
from instant.domain.validation import parse

CANARY = "canary-4711"


class Color(StrEnum):
    """An enumeration."""

    RED = "red"


class Inner(BaseModel):
    """A nested object."""

    model_config = ConfigDict(extra="forbid")

    size: int = Field(ge=1, le=9)


class Shape(BaseModel):
    """A model with fields of several types."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, StringConstraints(max_length=5, pattern=r"^[a-z]+$")]
    number: int | None = None
    amount: float | None = Field(None, ge=0, le=1)
    color: Color | None = None
    kind: Literal["a", "b"] | None = None
    inner: Inner | None = None
    many: list[Annotated[str, StringConstraints(max_length=3)]] | None = None


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "pattern": ({"name": "A1"}, "where.name"),
    "too long": ({"name": CANARY}, "where.name"),
    "missing": ({}, "where.name"),
    "type": ({"name": "a", "number": CANARY}, "where.number"),
    "range": ({"name": "a", "amount": 4711.4711}, "where.amount"),
    "nan": ({"name": "a", "amount": float("nan")}, "where.amount"),
    "enum": ({"name": "a", "color": CANARY}, "where.color"),
    "literal": ({"name": "a", "kind": CANARY}, "where.kind"),
    "nested": ({"name": "a", "inner": {"size": 4711}}, "where.inner.size"),
    "nested type": ({"name": "a", "inner": CANARY}, "where.inner"),
    "unknown": ({"name": "a", "other": CANARY}, "where.other"),
    "list": ({"name": "a", "many": ["ok", CANARY]}, "where.many.1"),
}


@pytest.mark.parametrize("case", WRONG)
def test_validation_error_names_the_field_but_not_the_value(case: str) -> None:
    data, field = WRONG[case]
    with pytest.raises(InvalidField) as caught:
        parse(Shape, data, "where")
    shown = json.dumps(caught.value.body()) + str(caught.value) + repr(caught.value)
    assert caught.value.details["field"] == field
    assert caught.value.message.startswith(f"{field}: ")
    assert CANARY not in shown
    assert "4711" not in shown
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_validation_returns_the_model_for_valid_data() -> None:
    assert parse(Shape, {"name": "abc", "inner": {"size": 3}}, "where").inner == Inner(size=3)


def test_validation_lists_up_to_ten_further_fields() -> None:
    with pytest.raises(InvalidField) as caught:
        parse(Shape, {f"unknown{number}": 1 for number in range(50)}, "config")
    more = caught.value.details["more"]
    assert isinstance(more, list)
    assert len(more) == 9
    assert all(name.startswith("config.unknown") for name in more)


@given(st.dictionaries(st.sampled_from(list(Shape.model_fields)), st.text().map(lambda text: CANARY + text)))
def test_validation_does_not_repeat_submitted_text(data: dict[str, str]) -> None:
    with pytest.raises(InvalidField) as caught:
        parse(Shape, data, "where")
    assert CANARY not in json.dumps(caught.value.body())
