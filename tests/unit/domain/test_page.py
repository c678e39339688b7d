"""Cursors survive a round trip, and anything else is rejected."""

import json
from base64 import urlsafe_b64encode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from instant.domain.errors import InvalidField
from instant.domain.page import Cursor

NAMES = st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=256)


def encoded(value: object) -> str:
    """Return a JSON value, encoded like a cursor."""
    return urlsafe_b64encode(json.dumps(value).encode()).decode()


@given(NAMES, NAMES)
def test_page_cursor_survives_a_round_trip(sort: str, item_id: str) -> None:
    encoded_cursor = Cursor(sort, item_id).encode()
    assert encoded_cursor.replace("-", "").replace("_", "").isalnum()
    assert Cursor.decode(encoded_cursor) == Cursor(sort, item_id)


@given(st.text())
@example("é")
@example("====")
@example("a")
@example("\ud800")
def test_page_rejects_garbage_as_an_invalid_field(garbage: str) -> None:
    with pytest.raises(InvalidField) as caught:
        Cursor.decode(garbage)
    assert caught.value.details == {"field": "cursor"}
    assert len(garbage) < 4 or garbage not in caught.value.message


@given(st.binary())
@example(b"[" * 200_000)
@example(b'["a"]')
@example(b"1" * 5_000)
@example(b"NaN")
def test_page_rejects_encoded_garbage_as_an_invalid_field(garbage: bytes) -> None:
    with pytest.raises(InvalidField):
        Cursor.decode(urlsafe_b64encode(garbage).decode())


@pytest.mark.parametrize(
    "value",
    [[], ["a"], ["a", "b", "c"], ["", "b"], ["a", ""], ["a", 1], [None, "b"], [["a"], "b"], 7, None, True, ["a", "\0"]],
)
def test_page_rejects_json_of_another_shape(value: object) -> None:
    with pytest.raises(InvalidField):
        Cursor.decode(encoded(value))


@pytest.mark.parametrize("name", ["\ud800", "a" * 257, "line\nbreak"])
def test_page_rejects_names_invalid_in_the_database(name: str) -> None:
    for value in ([name, "b"], ["a", name]):
        with pytest.raises(InvalidField):
            Cursor.decode(encoded(value))
