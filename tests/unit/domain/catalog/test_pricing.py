"""The worst case bounds the cost of any call, and the price limits enforce it."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from instant.domain.catalog.model import CatalogModel
from instant.domain.catalog.pricing import (
    HIDDEN_PROMPT_TOKENS,
    IMAGE_TOKEN_FACTOR,
    MaxUsage,
    highest,
    price_limits,
    worst_case,
)
from tests.fakes.builders import a_model

PRICES = st.one_of(
    st.decimals(min_value=0, max_value=Decimal("0.01"), places=23).map("{:f}".format),
    st.sampled_from(["0", "0.00000008333333333333334", "0.000003", "1", "0.00000000000000000000001"]),
)
KEYS = ["prompt", "completion", "request", "input_cache_write", "internal_reasoning", "input_cache_read", "image"]
TIERS = st.dictionaries(st.sampled_from([*KEYS, "audio", "image_output", "audio_output"]), PRICES)
OVERRIDES = st.lists(TIERS.map(lambda tier: {"min_prompt_tokens": 200_000, **tier}), max_size=3)
MODELS = st.builds(
    lambda pricing, overrides, context, longest, capped: a_model(
        pricing=pricing,
        price_overrides=tuple(overrides),
        context_length=context,
        max_tokens=longest,
        supported_parameters=("max_tokens",) if capped else (),
    ),
    TIERS,
    OVERRIDES,
    st.none() | st.integers(1, 10**6),
    st.none() | st.integers(1, 10**6),
    st.booleans(),
)
SETS = st.lists(MODELS, min_size=1, max_size=3)
USAGES = st.builds(
    MaxUsage,
    prompt_tokens=st.integers(0, 10**6),
    completion_tokens=st.integers(0, 10**6),
    rounds=st.integers(1, 7),
    images=st.integers(0, 8),
    makes_images=st.booleans(),
    reads_whole_context=st.booleans(),
    extra_usd=st.sampled_from([Decimal(0), Decimal("0.007"), Decimal(2)]),
    embeds=st.booleans(),
)


def a_max_usage(prompt: int, completion: int, **more: Any) -> MaxUsage:
    """Return a maximum usage with these token counts."""
    return MaxUsage(prompt_tokens=prompt, completion_tokens=completion, **more)


def most_tokens(model: CatalogModel, max_usage: MaxUsage) -> tuple[int, int]:
    """Return the maximum prompt and answer tokens of one round, computed independently."""
    prompt = max_usage.prompt_tokens + HIDDEN_PROMPT_TOKENS
    if model.context_length is not None and not max_usage.embeds:
        prompt = model.context_length if max_usage.reads_whole_context else min(prompt, model.context_length)
    capped = "max_tokens" in model.supported_parameters or max_usage.embeds
    return prompt, max_usage.completion_tokens if capped else model.longest_answer


def cost_of(model: CatalogModel, max_usage: MaxUsage, prices: Mapping[str, Fraction]) -> Fraction:
    """Return the exact cost of a call in nano-USD at a provider's prices in USD per unit."""
    prompt, answer = most_tokens(model, max_usage)
    per_round = prices["prompt"] * prompt + prices["completion"] * answer + prices["request"]
    total = (
        per_round * max_usage.rounds
        + prices.get("image", Fraction()) * max_usage.images
        + Fraction(max_usage.extra_usd)
    )
    return total * 10**9


def provider_at(limits: Mapping[str, str]) -> dict[str, Fraction]:
    """Return the prices of a provider that charges exactly the limits."""
    price = {name: Fraction(limit) for name, limit in limits.items()}
    return price | {"prompt": price["prompt"] / 10**6, "completion": price["completion"] / 10**6}


@given(SETS, USAGES, st.data())
def test_pricing_worst_case_bounds_every_call_within_limits(
    models: list[CatalogModel], max_usage: MaxUsage, data: st.DataObject
) -> None:
    model = data.draw(st.sampled_from(models), "serving model")
    tier = data.draw(st.sampled_from([model.pricing, *model.price_overrides]), "tier")
    price = {key: Fraction(str(tier.get(key, model.pricing.get(key, 0)))) for key in (*KEYS, "audio", "audio_output")}
    prompt, answer = most_tokens(model, max_usage)
    total = Fraction(max_usage.extra_usd) + price["image"] * max_usage.images
    for _ in range(max_usage.rounds):
        cache_written = data.draw(st.integers(0, prompt), "cache writes")
        audio_in = data.draw(st.integers(0, prompt - cache_written), "audio in")
        reasoning = data.draw(st.integers(0, answer), "reasoning")
        audio_out = data.draw(st.integers(0, answer - reasoning), "audio out")
        total += price["request"] + price["input_cache_write"] * cache_written + price["audio"] * audio_in
        total += price["prompt"] * (prompt - cache_written - audio_in) + price["internal_reasoning"] * reasoning
        total += price["audio_output"] * audio_out + price["completion"] * (answer - reasoning - audio_out)
    assert total * 10**9 <= worst_case(models, max_usage)


@given(SETS, USAGES, st.integers(0, 10**12))
def test_pricing_limits_keep_any_provider_within_the_cap(
    models: list[CatalogModel], max_usage: MaxUsage, room: int
) -> None:
    cap = worst_case(models, max_usage) + room
    provider = provider_at(price_limits(models, max_usage, cap_nanousd=cap))
    assert max(cost_of(model, max_usage, provider) for model in models) <= cap


@given(SETS, USAGES, st.integers(0, 10**9))
def test_pricing_limits_accept_the_catalog_prices(models: list[CatalogModel], max_usage: MaxUsage, room: int) -> None:
    limits = price_limits(models, max_usage, cap_nanousd=worst_case(models, max_usage) + room)
    provider, step = provider_at(limits), Fraction(1, 10**9)
    for model in models:
        assert provider["prompt"] * 10**6 + step >= Fraction(highest(model, "prompt")) * 10**6
        assert provider["completion"] * 10**6 + step >= Fraction(highest(model, "completion")) * 10**6
        assert provider["request"] + step >= Fraction(highest(model, "request"))


@given(TIERS, st.integers(0, 10**6), st.integers(1, 10**6), st.integers(1, 1000))
def test_pricing_limits_use_the_whole_cap(pricing: dict[str, str], prompt: int, tokens: int, times: int) -> None:
    model = a_model(pricing=pricing, context_length=None)
    max_usage = a_max_usage(prompt, tokens)
    worst = worst_case([model], max_usage)
    assume(worst > 10**7)
    provider = provider_at(price_limits([model], max_usage, cap_nanousd=worst * times))
    rounding = Fraction(prompt + HIDDEN_PROMPT_TOKENS + tokens, 10**6) + 2  # a limit's last digit is 1e-9 USD
    assert cost_of(model, max_usage, provider) >= worst * times * (1 - Fraction(2, 10**6)) - rounding


def test_pricing_worst_case_counts_every_byte_and_allowed_token() -> None:
    model = a_model(pricing={"prompt": "0.000001", "completion": "0.00001", "request": "0.005"})
    assert worst_case([model], a_max_usage(1000, 100)) == 1_256_000 + 1_000_000 + 5_000_000


def test_pricing_worst_case_charges_input_output_and_request_every_round() -> None:
    model = a_model(pricing={"prompt": "0.000001", "completion": "0.00001", "request": "0.005", "image": "0.001"})
    extra = a_max_usage(1000, 100, rounds=3, images=2, extra_usd=Decimal("0.02"))
    assert worst_case([model], extra) == 3 * 7_256_000 + 2 * 1_000_000 + 20_000_000


def test_pricing_worst_case_takes_the_highest_price_among_models() -> None:
    reader = a_model("a/reader", pricing={"prompt": "0.000002", "completion": "0.00001"})
    writer = a_model("a/writer", pricing={"prompt": "0.000001", "completion": "0.00003"})
    expected = 1_256 * 2_000 + 100 * 30_000
    assert worst_case([reader, writer], a_max_usage(1000, 100)) == expected
    assert worst_case([writer, reader], a_max_usage(1000, 100)) == expected


def test_pricing_worst_case_takes_the_length_of_an_uncapped_model() -> None:
    price = {"prompt": "0", "completion": "0.000001"}
    uncapped = a_model("a/deaf", pricing=price, supported_parameters=(), max_tokens=8_192)
    assert worst_case([a_model(pricing=price), uncapped], a_max_usage(0, 100)) == 8_192 * 1_000


def test_pricing_worst_case_fills_the_context_for_unmeasured_input() -> None:
    model = a_model(pricing={"prompt": "0.000001", "completion": "0"}, context_length=65_536)
    assert worst_case([model], a_max_usage(1000, 0, reads_whole_context=True)) == 65_536_000
    assert worst_case([model], a_max_usage(10**6, 0)) == 65_536_000
    assert worst_case([model], a_max_usage(1000, 0)) == 1_256_000


def test_pricing_worst_case_uses_the_most_expensive_tier() -> None:
    override = {"min_prompt_tokens": 200_000, "prompt": "0.000006", "completion": "0.0000225"}
    model = a_model(pricing={"prompt": "0.000003", "completion": "0.000015"}, price_overrides=(override,))
    assert highest(model, "prompt") == Decimal("0.000006")
    assert worst_case([model], a_max_usage(744, 1000)) == 6_000_000 + 22_500_000


def test_pricing_worst_case_counts_more_expensive_cache_writes_and_reasoning() -> None:
    pricing = {
        "prompt": "0.000001",
        "input_cache_write": "0.000002",
        "completion": "0",
        "internal_reasoning": "0.00006",
    }
    model = a_model(pricing=pricing)
    assert worst_case([model], a_max_usage(0, 10)) == 512_000 + 600_000
    limits = price_limits([model], a_max_usage(0, 10), cap_nanousd=2_224_000)
    assert limits == {"prompt": "4", "completion": "120", "request": "0"}


def test_pricing_worst_case_multiplies_text_price_for_unpriced_image_tokens() -> None:
    unpriced = a_model(pricing={"prompt": "0", "completion": "0.000003"})
    assert worst_case([unpriced], a_max_usage(0, 1000)) == 3_000_000
    assert worst_case([unpriced], a_max_usage(0, 1000, makes_images=True)) == 3_000_000 * IMAGE_TOKEN_FACTOR
    assert IMAGE_TOKEN_FACTOR >= 20


def test_pricing_worst_case_uses_the_listed_price_for_image_tokens() -> None:
    priced = a_model(pricing={"prompt": "0", "completion": "0.000003", "image_output": "0.00003"})
    assert worst_case([priced], a_max_usage(0, 1000, makes_images=True)) == 30_000_000


def test_pricing_worst_case_uses_the_image_factor_of_each_model() -> None:
    listed = a_model("a/listed", pricing={"prompt": "0", "completion": "0.000003", "image_output": "0.00003"})
    unpriced = a_model("a/silent", pricing={"prompt": "0", "completion": "0.000003"})
    assert worst_case([listed, unpriced], a_max_usage(0, 1000, makes_images=True)) == 60_000_000


@pytest.mark.parametrize("price", ["-1", "NaN", "free", None, 0.5, True])
def test_pricing_worst_case_ignores_invalid_prices(price: object) -> None:
    assert highest(a_model(pricing={"prompt": price}), "prompt") == 0


def test_pricing_limits_require_zero_cost_for_a_model_without_prices() -> None:
    free = [a_model(pricing={"prompt": "0", "completion": "0"})]
    max_usage = a_max_usage(10**6, 10**6)
    assert worst_case(free, max_usage) == 0
    assert price_limits(free, max_usage, cap_nanousd=10**9) == {"prompt": "0", "completion": "0", "request": "0"}


@pytest.mark.parametrize(("images", "names"), [(0, set()), (1, {"image"})])
def test_pricing_limits_include_images_only_where_present(images: int, names: set[str]) -> None:
    max_usage = a_max_usage(10, 10, images=images)
    limits = price_limits([a_model(pricing={"prompt": "0.000001", "image": "0.002"})], max_usage, cap_nanousd=10**9)
    assert set(limits) == {"prompt", "completion", "request"} | names


@pytest.mark.parametrize("cap", [0, 1, 6_999_999])
def test_pricing_limits_are_zero_when_fixed_costs_exceed_the_cap(cap: int) -> None:
    max_usage = a_max_usage(10, 10, extra_usd=Decimal("0.007"))
    limits = price_limits([a_model()], max_usage, cap_nanousd=cap)
    assert set(limits.values()) == {"0"}


@given(SETS, USAGES, st.integers(0, 10**15))
def test_pricing_limits_are_plain_decimals_and_always_present(
    models: Sequence[CatalogModel], max_usage: MaxUsage, cap: int
) -> None:
    limits = price_limits(models, max_usage, cap_nanousd=cap)
    assert {"prompt", "completion", "request"} <= set(limits) <= {"prompt", "completion", "request", "image"}
    assert all(price and set(price) <= set("0123456789.") for price in limits.values())
