"""Every price key has one line that says how it enters the worst, the expected and the recomputed cost."""

import gzip
import json
import re
from dataclasses import fields
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from instant.domain.catalog.pricing import PRICE_KEYS, MaxUsage, Unit, Usage, expected_usd, unreckoned, worst_case
from tests.architecture.project import ROOT
from tests.fakes.builders import a_model
from tests.fakes.openrouter.catalog import default_catalog

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SAVED = ROOT.parent / "shared/data/openrouter"
BASE = {"prompt": "0.000001", "completion": "0.000002", "image_output": "0.000002", "audio_output": "0.000002"}
NO_PRICES = {"discount", "overrides"}
EVERYTHING = MaxUsage(prompt_tokens=1000, completion_tokens=1000, images=3, makes_images=True)
USED = Usage(**{field.name: number for number, field in enumerate(fields(Usage), 10)} | {"prompt_tokens": 1000})


@pytest.mark.parametrize("key", PRICE_KEYS)
def test_price_key_raises_the_worst_case_by_its_unit(key: str) -> None:
    searcher = a_model(
        pricing={**BASE, "web_search": "0.005"}, supported_parameters=("max_tokens", "web_search_options")
    )
    dearer = a_model(pricing={**searcher.pricing, key: "1"}, supported_parameters=searcher.supported_parameters)
    rise = worst_case([dearer], EVERYTHING) - worst_case([searcher], EVERYTHING)
    assert (rise > 0) is (PRICE_KEYS[key].worst is not None)


@pytest.mark.parametrize("key", PRICE_KEYS)
def test_price_key_enters_the_expected_cost_by_its_counter(key: str) -> None:
    plain, dearer = (a_model(pricing=BASE | more) for more in ({}, {key: "1"}))
    costs = [expected_usd(model, USED, NOON) for model in (plain, dearer)]
    assert (costs[0] != costs[1]) is (PRICE_KEYS[key].counter is not None)
    assert None not in costs


def test_price_keys_with_a_counter_are_in_the_worst_case() -> None:
    assert all(key.worst for key in PRICE_KEYS.values() if key.counter)


def test_price_keys_cover_the_catalog_of_the_fake_service() -> None:
    keys = {key for row in default_catalog() for key in row["pricing"] if row["id"] != "stealth/from-tomorrow"}
    assert keys == PRICE_KEYS.keys() | NO_PRICES


@pytest.mark.skipif(not SAVED.exists(), reason="the saved catalogs are not here")
def test_price_keys_cover_the_saved_catalogs_and_the_specification() -> None:
    rows = [row for file in SAVED.glob("models-*.json") for row in json.loads(file.read_text())["data"]]
    keys = {key for row in rows for key in row["pricing"]}
    with gzip.open(SAVED / "openapi-2026-08-22.yaml.gz", "rt") as file:
        pricing = file.read().partition("\n    PublicPricing:\n")[2].partition("\n      required:")[0]
    keys |= set(re.findall(r"^        (\w+):$", pricing, re.MULTILINE))
    assert len(keys) == 16
    assert keys <= PRICE_KEYS.keys() | NO_PRICES


@pytest.mark.parametrize(
    ("pricing", "overrides", "found"),
    [
        ({}, (), ()),
        ({"video": "0"}, (), ()),
        ({"video": "0.01"}, (), ("video",)),
        ({"image": "cheap", "request": '{"usd":1}'}, (), ("image", "request")),
        ({"video": "cheap"}, (), ()),
        ({}, ({"min_prompt_tokens": 5, "video": "1"},), ("video",)),
        (
            {},
            ({"min_prompt_tokens": 5, "utc_days": 3, "video": True, "batch": None, "image": None, "audio_in": 0},),
            (),
        ),
        ({}, ({"min_prompt_tokens": 5, "video": 1},), ("video",)),
        ({}, ({"utc_start": 5, "utc_end": 9, "video": 2, "utc_fee": "1"},), ("video", "utc_fee")),
    ],
)
def test_unreckoned_names_prices_that_enter_no_cost(
    pricing: dict[str, str], overrides: tuple[dict[str, object], ...], found: tuple[str, ...]
) -> None:
    model = a_model(pricing=BASE | pricing, price_overrides=overrides)
    assert unreckoned(model) == found
    assert (expected_usd(model, USED, NOON) is None) is bool(found)


SEARCH_ONLY = MaxUsage(prompt_tokens=0, completion_tokens=0)


@pytest.mark.parametrize(
    ("openrouter_id", "price", "parameters", "searches"),
    [
        ("perplexity/sonar", "0.005", ("web_search_options",), 1),
        ("openai/gpt-4o", None, ("web_search_options",), 0),
        ("openai/gpt-4o", "0", ("web_search_options",), 0),
        ("openai/gpt-5.2", "0.01", ("tools",), 0),
        ("openai/o3-deep-research", "0.01", ("tools",), None),
        ("perplexity/sonar-deep-research", "0.005", ("web_search_options",), None),
        ("alibaba/tongyi-deepresearch-30b", None, ("tools",), 0),
    ],
)
def test_own_searches_are_counted_where_a_model_searches_by_itself(
    openrouter_id: str, price: str | None, parameters: tuple[str, ...], searches: int | None
) -> None:
    pricing = {"prompt": "0", "completion": "0"} | ({"web_search": price} if price else {})
    model = a_model(openrouter_id, pricing=pricing, supported_parameters=parameters)
    assert model.own_searches == searches
    expected = 0 if searches == 0 else int(Decimal(price or 0) * 10**9)
    assert worst_case([model], SEARCH_ONLY) == expected
    assert worst_case([model], MaxUsage(prompt_tokens=0, completion_tokens=0, own_searches=7)) == 7 * expected


def test_own_search_is_in_the_expected_cost_of_each_call() -> None:
    pricing = {"prompt": "0.000001", "completion": "0.000001", "web_search": "0.005"}
    sonar = a_model("perplexity/sonar", pricing=pricing, supported_parameters=("web_search_options",))
    usage = Usage(prompt_tokens=7, completion_tokens=236)
    assert expected_usd(sonar, usage, NOON) == Decimal("0.005243")
    assert expected_usd(sonar, Usage(prompt_tokens=7, completion_tokens=236, web_searches=3), NOON) == Decimal(
        "0.015243"
    )


def test_searches_without_a_limit_have_no_expected_cost_until_counted() -> None:
    deep = a_model("a/deep-research", pricing={"prompt": "0", "completion": "0", "web_search": "0.005"})
    assert expected_usd(deep, Usage(prompt_tokens=1, completion_tokens=1), NOON) is None
    assert expected_usd(deep, Usage(prompt_tokens=1, completion_tokens=1, web_searches=20), NOON) == Decimal("0.1")


def test_units_of_the_worst_case_are_all_in_use() -> None:
    assert {key.worst for key in PRICE_KEYS.values()} == {*Unit, None}
