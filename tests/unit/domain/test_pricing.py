"""The worst case is an upper bound of whatever a call can cost, and the price limits make it hold."""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from instant.domain.catalog import CatalogModel
from instant.domain.pricing import HIDDEN_PROMPT_TOKENS, highest, price_limits, worst_case
from tests.fakes.nouns import a_model

PRICES = st.one_of(
    st.decimals(min_value=0, max_value=Decimal("0.01"), places=23).map("{:f}".format),
    st.sampled_from(["0", "0.00000008333333333333334", "0.000003", "1", "0.00000000000000000000001"]),
)
TIERS = st.dictionaries(
    st.sampled_from(
        ["prompt", "completion", "request", "input_cache_write", "internal_reasoning", "input_cache_read", "image"]
    ),
    PRICES,
)
OVERRIDES = st.lists(TIERS.map(lambda tier: {"min_prompt_tokens": 200_000, **tier}), max_size=3)


def true_cost(tier: Mapping[str, Any], base: Mapping[str, Any], tokens: Mapping[str, int]) -> Fraction:
    """What a call costs in nano-USD at a tier's prices, the base's where it has none, in exact arithmetic."""
    price = {key: Fraction(str(tier.get(key, base.get(key, 0)))) for key in (*tokens, "request")}
    return (sum((price[key] * count for key, count in tokens.items()), Fraction()) + price["request"]) * 10**9


@given(TIERS, OVERRIDES, st.integers(0, 10**6), st.integers(0, 10**6), st.data())
def test_no_call_within_the_bounds_costs_more(
    pricing: dict[str, str], overrides: list[dict[str, Any]], prompt_bytes: int, cap: int, data: st.DataObject
) -> None:
    model = a_model(pricing=pricing, price_overrides=tuple(overrides))
    plain = data.draw(st.integers(0, prompt_bytes + HIDDEN_PROMPT_TOKENS), "plain prompt tokens")
    written = data.draw(st.integers(0, prompt_bytes + HIDDEN_PROMPT_TOKENS - plain), "cache writes")
    spoken = data.draw(st.integers(0, cap), "answer tokens")
    thought = data.draw(st.integers(0, cap - spoken), "thoughts")
    tokens = {"prompt": plain, "input_cache_write": written, "completion": spoken, "internal_reasoning": thought}
    worst = worst_case(model, prompt_bytes=prompt_bytes, completion_tokens=cap)
    assert max(true_cost(tier, pricing, tokens) for tier in (pricing, *overrides)) <= worst


@given(TIERS, OVERRIDES, st.integers(0, 10**6), st.integers(1, 10**6), st.integers(1, 10**12))
def test_at_the_price_limits_the_worst_case_is_within_the_cap(
    pricing: dict[str, str], overrides: list[dict[str, Any]], prompt_bytes: int, tokens: int, room: int
) -> None:
    model = a_model(pricing=pricing, price_overrides=tuple(overrides))
    worst = worst_case(model, prompt_bytes=prompt_bytes, completion_tokens=tokens)
    assume(worst > 0)
    cap = worst + room
    limits = price_limits(model, worst_nanousd=worst, cap_nanousd=cap)
    dearest = scaled(model, limits, prompt_bytes, tokens)
    assert dearest <= cap * (1 + Fraction(1, 10**30))


@given(TIERS, st.integers(0, 10**6), st.integers(1, 10**6), st.integers(1, 1000))
def test_the_price_limits_leave_the_whole_cap_to_tokens(
    pricing: dict[str, str], prompt_bytes: int, tokens: int, times: int
) -> None:
    model = a_model(pricing={key: price for key, price in pricing.items() if key != "request"})
    worst = worst_case(model, prompt_bytes=prompt_bytes, completion_tokens=tokens)
    assume(worst > 10**6)
    limits = price_limits(model, worst_nanousd=worst, cap_nanousd=worst * times)
    dearest = scaled(model, limits, prompt_bytes, tokens)
    assert worst * times * (1 - Fraction(2, 10**6)) <= dearest <= worst * times * (1 + Fraction(1, 10**30))


def scaled(model: CatalogModel, limits: dict[str, str], prompt_bytes: int, tokens: int) -> Fraction:
    """The worst case in nano-USD at the limit prices, in exact arithmetic."""
    prompt = Fraction(limits.get("prompt", "0")) / 10**6 * (prompt_bytes + HIDDEN_PROMPT_TOKENS)
    answer = Fraction(limits.get("completion", "0")) / 10**6 * tokens
    return (prompt + answer + Fraction(highest(model, "request"))) * 10**9


def test_the_worst_case_counts_every_byte_and_every_allowed_token() -> None:
    model = a_model(pricing={"prompt": "0.000001", "completion": "0.00001", "request": "0.005"})
    assert worst_case(model, prompt_bytes=1000, completion_tokens=100) == 1_256_000 + 1_000_000 + 5_000_000


def test_the_dearest_tier_counts() -> None:
    override = {"min_prompt_tokens": 200_000, "prompt": "0.000006", "completion": "0.0000225"}
    model = a_model(pricing={"prompt": "0.000003", "completion": "0.000015"}, price_overrides=(override,))
    assert highest(model, "prompt") == Decimal("0.000006")
    assert worst_case(model, prompt_bytes=744, completion_tokens=1000) == 6_000_000 + 22_500_000


def test_cache_writes_and_hidden_thoughts_count_where_they_are_dearer() -> None:
    pricing = {
        "prompt": "0.000001",
        "input_cache_write": "0.000002",
        "completion": "0",
        "internal_reasoning": "0.00006",
    }
    model = a_model(pricing=pricing)
    assert worst_case(model, prompt_bytes=0, completion_tokens=10) == 512_000 + 600_000
    limits = price_limits(model, worst_nanousd=1_112_000, cap_nanousd=2_224_000)
    assert limits == {"prompt": "4", "completion": "120"}


@pytest.mark.parametrize("price", ["-1", "NaN", "free", None, 0.5, True])
def test_what_is_no_price_counts_as_nothing(price: object) -> None:
    assert highest(a_model(pricing={"prompt": price}), "prompt") == 0


def test_a_model_without_prices_gets_no_limits() -> None:
    model = a_model(pricing={"prompt": "0", "completion": "0"})
    assert worst_case(model, prompt_bytes=10**6, completion_tokens=10**6) == 0
    assert price_limits(model, worst_nanousd=0, cap_nanousd=10**9) == {}


def test_limits_are_plain_decimals() -> None:
    model = a_model(pricing={"prompt": "0.00000000001", "completion": "100"})
    limits = price_limits(model, worst_nanousd=3, cap_nanousd=10**12)
    assert set(limits) == {"prompt", "completion"}
    assert all(set(price) <= set("0123456789.") for price in limits.values())
