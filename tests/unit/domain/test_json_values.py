"""Copies of JSON values with other strings, and their nesting."""

from typing import Any

import pytest

from instant.domain.json_values import is_deeper, map_strings, strings_in


def nested(depth: int) -> Any:
    """Lists and objects in turn, so deep, with one string inside."""
    value: Any = "x"
    for level in range(depth):
        value = [value] if level % 2 else {"k": value}
    return value


@pytest.mark.parametrize(
    ("value", "changed"),
    [
        ("a", "A"),
        (None, None),
        (1.5, 1.5),
        ({"a": ["b", {"c": "d", "e": 1}], "f": True}, {"A": ["B", {"C": "D", "E": 1}], "F": True}),
    ],
)
def test_map_strings_changes_strings_and_keys(value: object, changed: object) -> None:
    assert map_strings(value, str.upper) == changed


def test_map_strings_does_not_change_the_original() -> None:
    value = {"a": ["b", {"c": "d"}]}
    map_strings(value, str.upper)
    assert value == {"a": ["b", {"c": "d"}]}


def test_json_values_of_any_depth_are_walked() -> None:
    deep = nested(50_000)
    assert list(strings_in(map_strings(deep, str.upper))) == ["X"]
    assert is_deeper(deep, 1_000)


def test_strings_in_keeps_the_order_of_the_text() -> None:
    assert list(strings_in({"a": "1", "b": ["2", {"c": "3"}, 7], "d": "4"})) == ["1", "2", "3", "4"]


@pytest.mark.parametrize("depth", [0, 1, 2, 30])
def test_is_deeper_counts_objects_and_lists(depth: int) -> None:
    assert not is_deeper(nested(depth), depth)
    assert is_deeper(nested(depth + 1), depth)
