"""Vectors in base64 and as numbers."""

import struct
from base64 import b64encode
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instant.integrations.openrouter.embeddings import from_base64, to_base64
from instant.integrations.openrouter.embeddings.vectors import read_numbers

FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)
DOUBLES = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300)


@given(st.lists(FLOATS, min_size=1))
def test_vectors_survive_base64_exactly(numbers: list[float]) -> None:
    assert from_base64(to_base64(numbers)) == numbers


@given(st.lists(FLOATS, min_size=1))
def test_vectors_are_encoded_as_little_endian_32_bit_floats(numbers: list[float]) -> None:
    assert to_base64(numbers) == b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()


@given(st.lists(DOUBLES | st.integers(-(2**53), 2**53), min_size=1, max_size=50))
def test_vectors_keep_every_number_of_json(numbers: list[object]) -> None:
    assert read_numbers(numbers).tolist() == numbers


@pytest.mark.parametrize("number", [nan, inf, -inf, 1e39, -1e300], ids=repr)
def test_vectors_reject_numbers_that_base64_cannot_hold(number: float) -> None:
    with pytest.raises(ValueError, match="not finite"):
        to_base64([0.5, number])


@pytest.mark.parametrize("number", [nan, inf, -inf], ids=repr)
def test_vectors_reject_base64_of_numbers_that_are_not_finite(number: float) -> None:
    with pytest.raises(ValueError, match="not finite"):
        from_base64(b64encode(struct.pack("<3f", 0.5, number, -0.5)).decode())


@pytest.mark.parametrize("text", ["", "AAAA", "AAAAAA==A", "AAAAA", "AA AA", "AAAAAA==\n", "ÄAAAAA==", "AAAA-_=="])
def test_vectors_reject_base64_of_something_else(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_base64(text)


@pytest.mark.parametrize("numbers", [[], [True], ["1"], [None], [[1]], [{}], [0.5, True], [nan], [inf], [10**400]])
def test_vectors_reject_json_that_is_not_finite_numbers(numbers: list[object]) -> None:
    with pytest.raises(ValueError, match="not "):
        read_numbers(numbers)
