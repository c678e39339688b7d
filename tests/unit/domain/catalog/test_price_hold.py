"""Unusual prices: their detection, the duration of a hold, and its release."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from instant.domain.catalog.model import CatalogModel
from instant.domain.catalog.price_hold import HOLD, MEMORY, is_unusual, settled
from instant.domain.catalog.pricing import Usage, expected_usd
from instant.domain.clock import format_time
from tests.fakes.builders import a_model
from tests.fakes.clock import START

SECOND = timedelta(seconds=1)

JUMPS = [
    ("0.001", "0", True),
    ("0.001", "-1", True),
    ("0.001", "-0.001", True),
    ("0.001", "0.01", False),
    ("0.001", "0.010000000000000000000001", True),
    ("0.001", "0.02", True),
    ("0.001", "free", True),
    ("0.001", "0.0000000001", False),
    ("0", "1", False),
    ("-1", "1", False),
    ("-1", "0", False),
    ("0", "0", False),
    ("free", "1", False),
]


@pytest.mark.parametrize(("old", "new", "unusual"), JUMPS)
def test_price_hold_detects_unusual_prices(old: str, new: str, unusual: bool) -> None:
    for key in ("prompt", "image", "per_smile"):
        before, after = ({"completion": "1", key: price} for price in (old, new))
        assert is_unusual(a_model(pricing=before), a_model(pricing=after)) is unusual


def test_price_hold_ignores_prices_that_appear_or_disappear() -> None:
    before, after = {"prompt": "1", "web_search": "1"}, {"prompt": "1", "image": "100"}
    assert not is_unusual(a_model(pricing=before), a_model(pricing=after))


@pytest.mark.parametrize(
    ("old", "new", "unusual"),
    [
        ([], ["0.01"], False),
        ([], ["0.010001"], True),
        ([], ["0"], True),
        ([], ["-1"], True),
        ([], ["free"], True),
        (["0.002"], [], False),
        (["0.002"], ["0.02"], False),
        (["0.002"], ["0.020001"], True),
        (["0"], ["0"], False),
        (["0"], ["0.011"], True),
        (["free"], ["0.002"], False),
    ],
)
def test_price_hold_detects_unusual_overrides(old: list[str], new: list[str], unusual: bool) -> None:
    def tiers(prices: list[str]) -> tuple[dict[str, Any], ...]:
        return tuple({"min_prompt_tokens": 9, "prompt": price} for price in prices)

    before = priced("0.001", price_overrides=tiers(old), discount="0.5")
    after = priced("0.001", price_overrides=tiers(new))
    assert is_unusual(before, after) is unusual
    found = settled(before, after, START, accept=False)
    if not unusual:
        assert found == after
        return
    assert found.pricing == before.pricing
    assert ([*found.price_held], found.price_held_since) == (["prompt"], format_time(START))
    assert found.discount == after.discount
    is_negative = bool({"-1", "free"} & {*new})
    assert settled(found, after, START + HOLD, accept=False) == (found if is_negative else after)
    assert settled(found, after, START, accept=True) == after


def priced(prompt: str, **more: Any) -> CatalogModel:
    """Return a model with this prompt price."""
    return a_model(pricing={"prompt": prompt, "completion": "1"}, **more)


def held(prompt: str, since: timedelta = timedelta()) -> CatalogModel:
    """Return a model at 0.001 for which this price was announced."""
    return priced("0.001", price_held={"prompt": prompt}, price_held_since=format_time(START + since))


def after_all(announced: list[tuple[timedelta, CatalogModel]], old: CatalogModel) -> CatalogModel:
    """Return the model after these announcements, in order."""
    for passed, model in announced:
        old = settled(old, model, START + passed, accept=False)
    return old


def test_price_hold_accepts_any_price_of_a_new_model() -> None:
    for price in ("0", "-1", "1000"):
        assert settled(None, priced(price), START, accept=False) == priced(price)


def test_price_hold_releases_on_an_ordinary_price() -> None:
    for old in (priced("0.001"), held("0"), held("-1")):
        assert settled(old, priced("0.002"), START, accept=False) == priced("0.002")
        assert settled(old, priced("0.001"), START, accept=False) == priced("0.001")


@pytest.mark.parametrize("price", ["0", "-1", "0.02"])
def test_price_hold_keeps_the_old_price_and_updates_the_rest(price: str) -> None:
    found = settled(priced("0.001"), priced(price, description="New."), START, accept=False)
    assert found == a_model(
        description="New.",
        pricing={"prompt": "0.001", "completion": "1"},
        price_held={"prompt": price},
        price_held_since=format_time(START),
    )


@pytest.mark.parametrize("price", ["0", "0.02"])
def test_price_hold_releases_a_price_unchanged_for_two_days(price: str) -> None:
    assert settled(held(price), priced(price), START + HOLD - SECOND, accept=False) == held(price)
    assert settled(held(price), priced(price), START + HOLD, accept=False) == priced(price)


def test_price_hold_runs_from_the_first_unusual_price() -> None:
    expensive = priced("0.02")
    assert settled(held("0"), expensive, START + HOLD - SECOND, accept=False) == held("0.02")
    assert settled(held("0"), expensive, START + HOLD, accept=False) == expensive


def test_price_hold_releases_a_price_that_goes_by_the_hour() -> None:
    day, night = priced("0.001"), priced("0.02")
    known = day
    for hour in range(4 * 24):
        passed, model = timedelta(hours=hour), night if hour % 24 < 8 else day
        known = settled(known, model, START + passed, accept=False)
        assert known == (model if passed >= HOLD or model == day else held("0.02"))


def test_price_hold_forgets_an_unusual_price_that_did_not_return() -> None:
    night, day = priced("0.02"), priced("0.001")
    once = after_all([(SECOND, night), (2 * SECOND, day)], day)
    assert settled(once, night, START + MEMORY, accept=False) == night
    late = MEMORY + 2 * SECOND
    assert settled(once, night, START + late, accept=False) == held("0.02", late)


def test_price_hold_holds_the_key_and_not_the_model() -> None:
    old = a_model(pricing={"prompt": "1", "completion": "1", "request": "1"})
    new = a_model(pricing={"prompt": "0", "completion": "2", "image": "5"})
    found = settled(old, new, START, accept=False)
    assert found.pricing == {"prompt": "1", "completion": "2", "image": "5"}
    assert found.price_held == {"prompt": "0"}
    other = replace(new, pricing={"prompt": "0", "completion": "3"})
    later = settled(found, other, START + HOLD - SECOND, accept=False)
    assert later.pricing == {"prompt": "1", "completion": "3"}
    assert settled(later, new, START + HOLD, accept=False) == new


def test_price_hold_holds_the_key_of_an_override() -> None:
    def tier(**prices: str) -> tuple[dict[str, Any], ...]:
        return ({"min_prompt_tokens": 9, **prices},)

    old = a_model(pricing={"prompt": "1", "completion": "1"}, price_overrides=tier(prompt="2", completion="2"))
    new = replace(old, price_overrides=tier(prompt="21", completion="3"))
    found = settled(old, new, START, accept=False)
    assert found.price_overrides == tier(prompt="2", completion="3")
    assert (found.pricing, found.price_held) == (old.pricing, {"prompt": "21"})
    for tokens, cost in ((9, 10), (10, 23)):
        assert expected_usd(found, Usage(prompt_tokens=tokens, completion_tokens=1), START) == cost
    assert settled(found, new, START + HOLD, accept=False) == new


def test_price_hold_lists_held_overrides_separately_where_conditions_differ() -> None:
    old = a_model(
        pricing={"prompt": "1", "completion": "1"}, price_overrides=({"min_prompt_tokens": 9, "prompt": "2"},)
    )
    night = {"utc_start": 0, "utc_end": 2400}
    new = replace(old, price_overrides=({**night, "prompt": "99"}, {**night, "completion": "3", "prompt": "2"}))
    found = settled(old, new, START, accept=False)
    assert found.price_overrides == ({**night, "completion": "3"}, {"min_prompt_tokens": 9, "prompt": "2"})
    assert expected_usd(found, Usage(prompt_tokens=10, completion_tokens=1), START) == 23


CACHE_READS = [("0", False), ("0.05", False), ("1", False), ("1.01", True), ("-1", True), ("free", True)]


@pytest.mark.parametrize(("price", "unusual"), CACHE_READS)
def test_price_hold_holds_cache_reads_only_above_the_prompt_price(price: str, unusual: bool) -> None:
    old, new = (a_model(pricing={"prompt": "1", "input_cache_read": read}) for read in ("0.001", price))
    assert is_unusual(old, new) is unusual


@pytest.mark.parametrize(("prompt", "unusual"), [("3", False), ("99", True)])
def test_price_hold_compares_cache_reads_with_a_believed_prompt_price(prompt: str, unusual: bool) -> None:
    old, new = (
        a_model(pricing={"prompt": base, "input_cache_read": read}) for base, read in (("1", "0.1"), (prompt, "2"))
    )
    assert ("input_cache_read" in settled(old, new, START, accept=False).price_held) is unusual


def test_price_hold_reads_a_hold_of_the_whole_price() -> None:
    announced = {"prompt": "0", "completion": "1"}
    old = priced("0.001", price_held=announced, price_held_since=format_time(START))
    assert settled(old, priced("0"), START + HOLD - SECOND, accept=False) == held("0")
    assert settled(old, priced("0"), START + HOLD, accept=False) == priced("0")


def test_price_hold_does_not_release_a_negative_price_by_time() -> None:
    assert settled(held("-1"), priced("-1"), START + 100 * HOLD, accept=False) == held("-1")


@pytest.mark.parametrize("price", ["0", "-1", "0.02"])
def test_price_hold_releases_any_price_accepted_by_an_admin(price: str) -> None:
    for old in (priced("0.001"), held(price)):
        assert settled(old, priced(price), START, accept=True) == priced(price)
