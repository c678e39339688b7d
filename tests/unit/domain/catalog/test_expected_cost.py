"""The expected cost uses the tier that applies, is exact, and never exceeds the worst case."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instant.domain.catalog.model import CatalogModel
from instant.domain.catalog.pricing import SEARCH_USD, MaxUsage, Usage, expected_usd, worst_case
from instant.domain.money import NANO
from tests.fakes.builders import a_model

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
PRICES = st.one_of(
    st.decimals(min_value=0, max_value=Decimal("0.01"), places=23).map("{:f}".format),
    st.sampled_from(["0", "0.00000008333333333333334", "0.000003", "0.00000000000000000000001"]),
)
KINDS = [
    "input_cache_read",
    "input_cache_write",
    "audio",
    "internal_reasoning",
    "image_output",
    "audio_output",
    "image",
]
TIERS = st.fixed_dictionaries({"prompt": PRICES, "completion": PRICES}, optional=dict.fromkeys(KINDS, PRICES))
CONDITIONS = st.fixed_dictionaries(
    {},
    optional={
        "min_prompt_tokens": st.integers(0, 300_000),
        "utc_start": st.sampled_from([0, 1100, 1630]),
        "utc_end": st.sampled_from([30, 1130, 2300]),
    },
)
OVERRIDES = st.lists(st.tuples(CONDITIONS, TIERS).map(lambda pair: {**pair[0], **pair[1]}), max_size=3)
MODELS = st.builds(
    lambda pricing, overrides: a_model(pricing=pricing, price_overrides=tuple(overrides), context_length=None),
    TIERS,
    OVERRIDES,
)
FLAT = TIERS.map(lambda pricing: a_model(pricing=pricing))


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    """Generate usage in which each part is at most its total."""
    cache_read, cache_write, audio_in, text_in = (draw(st.integers(0, 100_000)) for _ in range(4))
    reasoning, image_out, audio_out, text_out = (draw(st.integers(0, 50_000)) for _ in range(4))
    return Usage(
        prompt_tokens=cache_read + cache_write + audio_in + text_in,
        cached_tokens=cache_read,
        cache_write_tokens=cache_write,
        audio_tokens=audio_in,
        completion_tokens=reasoning + image_out + audio_out + text_out,
        reasoning_tokens=reasoning,
        image_output_tokens=image_out,
        audio_output_tokens=audio_out,
        images=draw(st.integers(0, 8)),
        web_searches=draw(st.integers(0, 5)),
    )


def priced(**prices: str) -> CatalogModel:
    """Return a model with these prices besides 1 and 10 USD per million tokens."""
    return a_model(pricing={"prompt": "0.000001", "completion": "0.00001", **prices})


def cost(model: CatalogModel, prompt: int = 1000, completion: int = 100, at: datetime = NOON, **more: int) -> Any:
    """Return the expected cost as text, or None."""
    usd = expected_usd(model, Usage(prompt_tokens=prompt, completion_tokens=completion, **more), at)
    return None if usd is None else f"{usd.normalize():f}"


@given(MODELS, usages())
def test_expected_cost_never_exceeds_the_worst_case(model: CatalogModel, usage: Usage) -> None:
    max_usage = MaxUsage(
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        images=usage.images,
        makes_images=usage.image_output_tokens > 0,
        extra_usd=SEARCH_USD * usage.web_searches,
    )
    usd = expected_usd(model, usage, NOON)
    assert usd is None or usd * NANO <= worst_case([model], max_usage)


@given(FLAT, usages(), st.sampled_from([*Usage.__dataclass_fields__]), st.integers(1, 10_000))
def test_expected_cost_does_not_decrease_with_more_usage(
    model: CatalogModel, usage: Usage, name: str, more: int
) -> None:
    """When a part of a counter grows, its total grows by the same amount."""
    whole = (
        {"cached_tokens", "cache_write_tokens", "audio_tokens"},
        {
            "reasoning_tokens",
            "image_output_tokens",
            "audio_output_tokens",
        },
    )
    grown = replace(usage, **{name: getattr(usage, name) + more})
    if name in whole[0]:
        grown = replace(grown, prompt_tokens=usage.prompt_tokens + more)
    if name in whole[1]:
        grown = replace(grown, completion_tokens=usage.completion_tokens + more)
    before, after = expected_usd(model, usage, NOON), expected_usd(model, grown, NOON)
    assert before is None or after is None or before <= after


@given(FLAT, usages())
def test_expected_cost_is_exact(model: CatalogModel, usage: Usage) -> None:
    """The cost is compared with an independent calculation in fractions."""

    def usd(key: str, default: str = "") -> Fraction:
        return Fraction(model.pricing.get(key, "0")) or (usd(default) if default else Fraction(0))

    parts = usage.cached_tokens + usage.cache_write_tokens + usage.audio_tokens
    text_out = usage.completion_tokens - usage.reasoning_tokens - usage.image_output_tokens - usage.audio_output_tokens
    total = (
        usd("prompt") * (usage.prompt_tokens - parts)
        + usd("input_cache_read", "prompt") * usage.cached_tokens
        + usd("input_cache_write", "prompt") * usage.cache_write_tokens
        + usd("audio", "prompt") * usage.audio_tokens
        + usd("completion") * text_out
        + usd("internal_reasoning", "completion") * usage.reasoning_tokens
        + usd("image_output") * usage.image_output_tokens
        + usd("audio_output") * usage.audio_output_tokens
        + usd("image") * usage.images
        + Fraction(SEARCH_USD) * usage.web_searches
    )
    expected = expected_usd(model, usage, NOON)
    assert expected is None or Fraction(expected) == total
    assert type(expected) in {Decimal, type(None)}


def test_expected_cost_charges_each_part_its_own_price() -> None:
    assert cost(priced()) == "0.002"
    assert cost(priced(request="0.005")) == "0.007"
    assert cost(priced(image="0.001"), images=2) == "0.004"
    assert cost(priced(input_cache_read="0.0000001"), cached_tokens=500) == "0.00155"
    assert cost(priced(input_cache_write="0.000002"), cache_write_tokens=500) == "0.0025"
    assert cost(priced(audio="0.000003"), audio_tokens=500) == "0.003"
    assert cost(priced(internal_reasoning="0.00002"), reasoning_tokens=50) == "0.0025"
    assert cost(priced(image_output="0.00003"), image_output_tokens=50) == "0.003"
    assert cost(priced(audio_output="0.00004"), audio_output_tokens=50) == "0.0035"
    assert cost(priced(web_search="0.01"), web_searches=3) == "0.032"


@pytest.mark.parametrize("price", [{}, {"internal_reasoning": "0", "input_cache_read": "0", "web_search": "0"}])
def test_expected_cost_uses_the_general_price_without_a_specific_one(price: dict[str, str]) -> None:
    assert cost(priced(**price), cached_tokens=500, reasoning_tokens=50) == "0.002"
    assert cost(priced(**price), web_searches=1) == "0.009"


@pytest.mark.parametrize("price", [{}, {"image_output": "0", "audio_output": "0"}])
def test_expected_cost_is_unknown_for_media_without_a_price(price: dict[str, str]) -> None:
    assert cost(priced(**price), image_output_tokens=1) is None
    assert cost(priced(**price), audio_output_tokens=1) is None


@pytest.mark.parametrize("price", ["-1", "free", "NaN", None])
def test_expected_cost_is_unknown_for_routers(price: Any) -> None:
    assert cost(a_model(pricing={"prompt": price, "completion": "0.1"})) is None
    assert cost(a_model(pricing={"prompt": "0.1", "completion": price})) is None


def test_expected_cost_of_inconsistent_counters_has_no_negative_part() -> None:
    assert cost(priced(), prompt=10, completion=10, reasoning_tokens=11) == "0.00012"
    assert cost(priced(), prompt=10, completion=0, cached_tokens=11) == "0.000011"


@pytest.mark.parametrize(("prompt", "usd"), [(200_000, "0.2"), (200_001, "0.400002")])
def test_expected_cost_raises_price_just_above_the_prompt_threshold(prompt: int, usd: str) -> None:
    model = replace(priced(), price_overrides=({"min_prompt_tokens": 200_000, "prompt": "0.000002"},))
    assert cost(model, prompt, 0) == usd


@pytest.mark.parametrize(
    ("hour", "minute", "is_night"), [(16, 29, False), (16, 30, True), (0, 29, True), (0, 30, False)]
)
def test_expected_cost_window_can_span_midnight(hour: int, minute: int, is_night: bool) -> None:
    night = {"utc_start": 1630, "utc_end": 30, "prompt": "0", "completion": "0"}
    at = datetime(2026, 11, 22, hour, minute, 59, tzinfo=UTC)
    assert cost(replace(priced(), price_overrides=(night,)), at=at) == ("0" if is_night else "0.002")


def test_expected_cost_override_requires_all_conditions_and_later_keys_win() -> None:
    first = {"min_prompt_tokens": 500, "utc_start": 1100, "utc_end": 1300, "prompt": "0.000002"}
    second = {"min_prompt_tokens": 900, "prompt": "0.000005"}
    model = replace(priced(), price_overrides=(first, second))
    assert cost(model, 400) == "0.0014"
    assert cost(model, 600) == "0.0022"
    assert cost(model, 600, at=NOON.replace(hour=13)) == "0.0016"
    assert cost(model, 1000) == "0.006"


@pytest.mark.parametrize(
    "condition",
    [{"utc_days": ["sat"]}, {"min_images": 2}, {"min_prompt_tokens": "many"}, {"utc_start": 0}, {"utc_end": 2400}],
)
def test_expected_cost_ignores_conditions_it_cannot_evaluate(condition: dict[str, Any]) -> None:
    assert cost(replace(priced(), price_overrides=({**condition, "prompt": "0"},))) == "0.002"
