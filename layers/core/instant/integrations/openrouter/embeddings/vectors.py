"""Vectors as lists of numbers and as base64 of 32-bit floats in little-endian order, as OpenAI's API encodes them."""

import sys
from array import array
from base64 import b64decode, b64encode
from collections.abc import Iterable
from math import isfinite

type Vector = array[float]
"""The numbers of one embedding: 32-bit floats if it was read from base64, 64-bit floats if from JSON."""

_BYTES = 4


def to_base64(numbers: Iterable[float]) -> str:
    """The numbers as base64, each rounded to the nearest 32-bit float; raises `ValueError` for a larger one."""
    return b64encode(_little_endian(_finite(array("f", numbers))).tobytes()).decode()


def from_base64(text: str) -> list[float]:
    """The numbers in base64, exactly; raises `ValueError` if it is not one vector of finite numbers."""
    return read_base64(text).tolist()


def read_base64(text: str) -> Vector:
    """The vector in base64; raises `ValueError` if it is not one of finite numbers."""
    data = b64decode(text, validate=True)
    if not data or len(data) % _BYTES:
        raise ValueError("not 32-bit floats")
    vector = array("f")
    vector.frombytes(data)
    return _finite(_little_endian(vector))


def read_numbers(numbers: list[object]) -> Vector:
    """The vector in a JSON array; raises `ValueError` if it is not one of finite numbers."""
    if not numbers or not {*map(type, numbers)} <= {float, int}:
        raise ValueError("not numbers")
    try:
        return _finite(array("d", numbers))  # type: ignore[arg-type]
    except OverflowError:
        raise ValueError("not finite") from None


def _little_endian(vector: Vector) -> Vector:
    if sys.byteorder == "big":
        vector.byteswap()
    return vector


def _finite(vector: Vector) -> Vector:
    """The vector, if all its numbers are finite: a sum with another number is not finite."""
    if not isfinite(sum(vector)):
        raise ValueError("not finite")
    return vector
