"""Money: integer nano-USD in storage, Decimal in arithmetic, plain decimal strings in JSON."""

import re
from decimal import ROUND_CEILING, Decimal, localcontext
from typing import overload

NANO = Decimal(10) ** 9
"""Nano-USD per USD: the smallest real cost seen is 3.4e-7 USD, or 340 nano-USD."""

MAX_NANOUSD = 10**21
"""A trillion USD, the maximum amount that is recorded: DynamoDB's numbers have 38 digits, enough for 1e16 of these."""

_MAGNITUDE = 28
"""Amounts above 1e28 or below 1e-28 USD are rejected: their decimal text could take gigabytes."""

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,9})?")
_PLAIN = re.compile(r"-?[0-9]+(\.[0-9]+)?")


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
    """Parse a price: a JSON number (Decimal), or a string with one; None if it is not a plausible amount.

    Python's Decimal also reads `1_000`, blanks and the digits of every script, which no other reader would.
    """
    return _amount(text, _NUMBER)


def parse_bill(text: object) -> Decimal | None:
    """Parse a reported cost: a JSON number (Decimal), or a string in plain decimal syntax; None for any other value.

    A cost is not negative, and at most `MAX_NANOUSD`.
    """
    amount = _amount(text, _PLAIN)
    return amount if amount is not None and 0 <= amount <= MAX_NANOUSD / NANO else None


def _amount(text: object, syntax: re.Pattern[str]) -> Decimal | None:
    if isinstance(text, bool) or not isinstance(text, str | int | Decimal):
        return None
    if isinstance(text, str) and not syntax.fullmatch(text):
        return None
    amount = Decimal(text)
    return amount if amount.is_finite() and abs(amount.adjusted()) <= _MAGNITUDE else None
