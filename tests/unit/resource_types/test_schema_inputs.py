"""Input validation names the first invalid input; patterns are matched in linear time."""

from typing import Any

import pytest

from instant.domain.errors import InvalidField
from instant.resource_types.input_schema import check_inputs, check_schema


def schema(part: Any) -> dict[str, Any]:
    """Return an object schema with one input."""
    return {"type": "object", "properties": {"it": part}}


def problem(part: Any, value: Any, name: str = "it") -> str:
    """Return the error message for an invalid value of the input."""
    with pytest.raises(InvalidField) as caught:
        check_inputs(schema(part), {name: value})
    return caught.value.message


@pytest.mark.parametrize(
    ("part", "value", "message"),
    [
        ({"type": "string"}, 1, 'inputs.it: the value is not of type "string"'),
        ({"maximum": 9}, 10, "inputs.it: the value is greater than the maximum of 9"),
        ({"enum": ["a", "b"]}, "c", "inputs.it: is not one of the schema's enum values"),
        ({"const": "a"}, "c", "inputs.it: is not the value that the schema requires"),
        ({"pattern": "^a$"}, "c", "inputs.it: does not match the schema's pattern"),
        ({"required": ["a"]}, {}, "inputs.it.a: is required"),
        ({"properties": {"a": {"type": "null"}}}, {"a": 1}, 'inputs.it.a: the value is not of type "null"'),
        ({"additionalProperties": False}, {"a": 1}, "inputs.it: is not allowed here"),
        ({"properties": {}, "additionalProperties": False}, {"a": 1}, "inputs.it.a: is not allowed here"),
        ({"properties": {"b": {}}, "additionalProperties": False}, {"a": 1}, "inputs.it.a: is not allowed here"),
        ({"items": {"items": {"type": "null"}}}, [[], [None, 1]], 'inputs.it.1.1: the value is not of type "null"'),
        (
            {"anyOf": [{"type": "null"}]},
            1,
            "inputs.it: matches none of the schema's alternatives, or more than one",
        ),
        ({"oneOf": [{}, {}]}, 1, "inputs.it: matches none of the schema's alternatives, or more than one"),
        ({"items": {"oneOf": [{}, {}], "type": "null"}}, [1], 'inputs.it.0: the value is not of type "null"'),
        ({"allOf": [{"anyOf": [True]}, {"minimum": 2}]}, 1, "inputs.it: the value is less than the minimum of 2"),
        (
            {"allOf": [{"anyOf": [False]}]},
            1,
            "inputs.it: matches none of the schema's alternatives, or more than one",
        ),
        (False, 1, "inputs.it: is not allowed here"),
    ],
)
def test_schema_inputs_names_the_invalid_input(part: Any, value: Any, message: str) -> None:
    assert problem(part, value) == message


def test_schema_inputs_names_a_missing_input() -> None:
    assert problem({}, 1, name="other") == "inputs.other: is not an input of this resource"


@pytest.mark.parametrize(
    "part", [True, {}, {"anyOf": [{"type": "null"}, {"type": "string"}]}, {"oneOf": [True, False]}]
)
def test_schema_inputs_accepts_valid_values(part: Any) -> None:
    check_inputs(schema(part), {"it": "x"})
    check_inputs(schema(part), {})


def test_schema_inputs_keeps_rules_of_the_whole_object() -> None:
    whole = {"type": "object", "properties": {"a": {}, "b": {}}, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]}
    check_inputs(whole, {"b": 1})
    with pytest.raises(InvalidField, match="inputs: matches none"):
        check_inputs(whole, {})


SECRET = "sk-or-v1-" + "5ec2e7" * 11


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ({"enum": [SECRET]}, 1),
        ({"const": SECRET}, 1),
        ({"pattern": SECRET}, "x"),
        ({"required": [SECRET]}, {}),
        ({"properties": {SECRET: {"type": "null"}}}, {SECRET: 1}),
        ({"additionalProperties": False}, {SECRET: 1}),
        ({"anyOf": [{"const": SECRET}]}, 1),
        ({"type": "null"}, SECRET),
        ({"type": "null"}, {SECRET: SECRET}),
        ({"uniqueItems": True}, [SECRET, SECRET]),
    ],
)
def test_schema_inputs_does_not_repeat_values_or_long_names(part: Any, value: Any) -> None:
    with pytest.raises(InvalidField) as caught:
        check_inputs(schema(part), {"it": value})
    assert SECRET[:12] not in str(caught.value.body())


@pytest.mark.parametrize(
    "pattern", [r"^(a+)\1$", "(?=a)a", "(?<!a)b", "(?>a)b", "(", r"(\w{200}){200}", "[ab]*a[ab]{5000}"]
)
def test_schema_inputs_rejects_patterns_that_could_hang(pattern: str) -> None:
    """Backtracking is not linear, and patterns can be large once they are compiled."""
    with pytest.raises(InvalidField, match="regular expression") as caught:
        check_schema(schema({"pattern": pattern}))
    assert caught.value.details == {"field": "config.input_schema.properties.it.pattern"}


@pytest.mark.parametrize(
    "pattern", ["^(a+)+$", r"^\d{4}-\d\d$", r"^[^@\s]+@[^@\s]+$", r"^\p{L}+$", "^[a-z0-9-]{1,200}$"]
)
def test_schema_inputs_accepts_patterns_of_linear_time(pattern: str) -> None:
    check_schema(schema({"pattern": pattern}))


def test_schema_inputs_names_a_missing_required_input_unless_long() -> None:
    for name, message in (("topic", "topic"), (SECRET, "…")):
        with pytest.raises(InvalidField, match=f"names {message}, which"):
            check_schema({**schema({}), "required": [name]})
