"""Opaque ids: `<prefix>_` and a ULID, so that ids with the same prefix sort by creation time."""

import secrets
from datetime import datetime

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_RANDOM_BITS = 80


def new_id(prefix: str, now: datetime) -> str:
    """A new id such as `res_01JD…`: 48 bits of milliseconds, 80 random bits."""
    number = int(now.timestamp() * 1000) << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)
    return f"{prefix}_{base32(number, 26)}"


def base32(number: int, length: int) -> str:
    """`number` in Crockford's base 32, padded to `length` characters."""
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(5 * (length - 1), -1, -5))
