"""JSON with exact amounts: a Decimal is serialized without conversion to float."""

import json
from decimal import Context, Decimal
from typing import Any

Json = dict[str, Any]

# OpenRouter computes costs in doubles, so no recorded cost has more significant digits than this.
_DIGITS = Context(prec=16)
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def dumps(value: Any) -> str:
    """Compact JSON in OpenRouter's format (no spaces, no escaped non-ASCII letters); Decimals become numbers."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{dumps(key)}:{dumps(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(dumps(item) for item in value) + "]"
    if isinstance(value, Decimal):
        return number(value)
    return json.dumps(value, ensure_ascii=False)


def encode(value: Any) -> bytes:
    """The UTF-8 bytes of `dumps`; without a Decimal, the faster encoder of `json` is used."""
    try:
        return _ENCODER.encode(value).encode()
    except TypeError:
        return dumps(value).encode()


def number(value: Decimal) -> str:
    """A JSON number as JavaScript prints it: `0.000081`, `10`, but `3.4e-7` below a millionth."""
    exact = value.normalize(_DIGITS)
    return f"{exact:e}" if 0 < abs(exact) < Decimal("1e-6") else f"{exact:f}"
