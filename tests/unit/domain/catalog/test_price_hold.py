"""Unusual prices: their detection, the duration of a hold, and its release."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from instant.domain.catalog.model import CatalogModel
from instant.domain.catalog.price_hold import HOLD, is_unusual, settled
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
    assert found == replace(before, price_held=after.pricing, price_held_since=format_time(START))
    is_negative = bool({"-1", "free"} & {*new})
    assert settled(found, after, START + HOLD, accept=False) == (found if is_negative else after)
    assert settled(found, after, START, accept=True) == after


def priced(prompt: str, **more: Any) -> CatalogModel:
    """Return a model with this prompt price."""
    return a_model(pricing={"prompt": prompt, "completion": "1"}, **more)


def held(prompt: str, since: timedelta = timedelta()) -> CatalogModel:
    """Return a model at 0.001 with this held price."""
    announced = {"prompt": prompt, "completion": "1"}
    return priced("0.001", price_held=announced, price_held_since=format_time(START + since))


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
        price_held={"prompt": price, "completion": "1"},
        price_held_since=format_time(START),
    )


@pytest.mark.parametrize("price", ["0", "0.02"])
def test_price_hold_releases_a_price_unchanged_for_two_days(price: str) -> None:
    assert settled(held(price), priced(price), START + HOLD - SECOND, accept=False) == held(price)
    assert settled(held(price), priced(price), START + HOLD, accept=False) == priced(price)


def test_price_hold_restarts_on_another_unusual_price() -> None:
    assert settled(held("0"), priced("0.02"), START + HOLD, accept=False) == held("0.02", HOLD)


def test_price_hold_does_not_release_a_negative_price_by_time() -> None:
    assert settled(held("-1"), priced("-1"), START + 100 * HOLD, accept=False) == held("-1")


@pytest.mark.parametrize("price", ["0", "-1", "0.02"])
def test_price_hold_releases_any_price_accepted_by_an_admin(price: str) -> None:
    for old in (priced("0.001"), held(price)):
        assert settled(old, priced(price), START, accept=True) == priced(price)
