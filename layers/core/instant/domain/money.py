"""Money: integer nano-USD in storage, Decimal in arithmetic, plain decimal strings in JSON."""

from decimal import ROUND_CEILING, Decimal, InvalidOperation, localcontext
from typing import overload

NANO = Decimal(10) ** 9
"""Nano-USD per USD: the smallest real cost seen is 3.4e-7 USD, or 340 nano-USD."""

_MAGNITUDE = 28
"""Amounts above 1e28 or below 1e-28 USD are rejected: their decimal text could take gigabytes."""


@overload
def to_nanousd(usd: Decimal) -> int: ...
@overload
def to_nanousd(usd: Decimal | None) -> int | None: ...
def to_nanousd(usd: Decimal | None) -> int | None:
    """`usd` as integer nano-USD, rounded up, so that a recorded cost is never too low; None stays None."""
    if usd is None:
        return None
    with localcontext(prec=60):
        return int((usd * NANO).to_integral_value(rounding=ROUND_CEILING))


@overload
def usd_text(nanousd: int) -> str: ...
@overload
def usd_text(nanousd: int | None) -> str | None: ...
def usd_text(nanousd: int | None) -> str | None:
    """Nano-USD as a plain decimal string of USD ("0.000081"); None stays None."""
    if nanousd is None:
        return None
    text = f"{Decimal(nanousd).scaleb(-9):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def parse_usd(text: object) -> Decimal | None:
    """Parse a price string or a JSON number (Decimal); None if it is not a plausible amount."""
    if isinstance(text, bool) or not isinstance(text, str | int | Decimal):
        return None
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and abs(amount.adjusted()) <= _MAGNITUDE else None
