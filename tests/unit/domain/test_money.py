"""Money is exact: integers of nano-USD, rounded up, without floats."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instant.domain.money import MAX_NANOUSD, NANO, parse_bill, parse_usd, to_nanousd, usd_text

AMOUNTS = st.decimals(min_value=0, max_value=10**6, allow_nan=False, allow_infinity=False, places=18)


@pytest.mark.parametrize(
    ("usd", "nanousd"),
    [
        ("0", 0),
        ("3.4e-7", 340),
        ("0.000000001", 1),
        ("0.0000000001", 1),
        ("1", 10**9),
        ("0.25", 250_000_000),
        ("999999.9999999991", 999_999_999_999_999 + 1),
        ("0.00000008333333333333334", 84),
    ],
)
def test_money_rounds_amounts_up_to_whole_nano_usd(usd: str, nanousd: int) -> None:
    assert to_nanousd(Decimal(usd)) == nanousd


@given(AMOUNTS)
def test_money_rounding_error_is_nonnegative_and_below_one_nano_usd(usd: Decimal) -> None:
    exact = Fraction(usd) * 10**9
    assert exact <= to_nanousd(usd) < exact + 1


def test_money_keeps_price_strings_of_25_characters_exact() -> None:
    text = "0.00000008333333333333334"
    assert len(text) == 25
    price = parse_usd(text)
    assert price is not None
    assert f"{price:f}" == text


@pytest.mark.parametrize(
    "value",
    [None, True, False, 0.1, float("nan"), "NaN", "sNaN", "Infinity", "-inf", "", " ", "free", "1,5", [], {}, b"1"],
)
def test_money_rejects_values_that_are_no_amount(value: object) -> None:
    assert parse_usd(value) is None


@pytest.mark.parametrize(
    "value", ["1_000", " 1", "1 ", "+1", "1.", ".5", "\u0661\u0662", "\uff11", "0x1", "1\n", "-", "--1"]
)
def test_money_rejects_strings_that_only_python_reads(value: str) -> None:
    assert (parse_usd(value), parse_bill(value)) == (None, None)


@pytest.mark.parametrize(
    ("value", "amount"),
    [
        ("0.0012", Decimal("0.0012")),
        (Decimal("3.4E-7"), Decimal("0.00000034")),
        (0, 0),
        (Decimal("-0.01"), None),
        ("-1", None),
        ("1e-3", None),
        (MAX_NANOUSD / NANO, MAX_NANOUSD / NANO),
        (MAX_NANOUSD / NANO + 1, None),
        (None, None),
        (True, None),
    ],
)
def test_bill_is_a_plain_amount_that_can_be_recorded(value: object, amount: object) -> None:
    assert parse_bill(value) == amount


def test_recorded_amounts_add_up_within_the_digits_of_a_number() -> None:
    assert len(str(MAX_NANOUSD * 10**16)) <= 38


@pytest.mark.parametrize("value", ["1e999999", "1e-999999", Decimal("1e400000000"), 10**4000])
def test_money_rejects_amounts_with_huge_exponents(value: object) -> None:
    assert parse_usd(value) is None


@pytest.mark.parametrize(("value", "amount"), [("-1", -1), ("0", 0), (2, 2), (Decimal("0.5"), Decimal("0.5"))])
def test_money_accepts_strings_integers_and_decimals(value: object, amount: object) -> None:
    assert parse_usd(value) == amount


@pytest.mark.parametrize(
    ("nanousd", "text"),
    [(0, "0"), (1, "0.000000001"), (81_000, "0.000081"), (10**9, "1"), (10**11, "100"), (-340, "-0.00000034")],
)
def test_money_formats_amounts_as_plain_decimals(nanousd: int, text: str) -> None:
    assert usd_text(nanousd) == text


def test_money_keeps_an_unknown_amount_unknown() -> None:
    assert usd_text(None) is None


@given(st.integers(min_value=-(10**18), max_value=10**18))
def test_money_survives_a_text_round_trip(nanousd: int) -> None:
    text = usd_text(nanousd)
    assert text is not None
    assert "e" not in text.lower()
    amount = parse_usd(text)
    assert amount is not None
    assert to_nanousd(amount) == nanousd
