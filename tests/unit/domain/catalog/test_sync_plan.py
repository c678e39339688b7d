"""A sync plan decides what is lost, missing, retired or restored, and can be interrupted at any point."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instant.domain.catalog.change import ChangeKind
from instant.domain.catalog.model import CatalogModel
from instant.domain.catalog.sync_plan import GRACE, Fetched, Quarantine, Rules, SyncPlan, plan_sync
from instant.domain.clock import format_time
from tests.fakes.builders import a_model
from tests.fakes.clock import START

NOW, RULES = START, Rules(max_loss_percent=10)
ALL_MAY_GO = Rules(max_loss_percent=100)
HOUR = timedelta(hours=1)
type Catalog = dict[str, CatalogModel]


def catalog(*models: CatalogModel) -> Catalog:
    """Models by id."""
    return {model.openrouter_id: model for model in models}


def many(count: int, **facts: Any) -> Catalog:
    """So many models."""
    return catalog(*(a_model(f"a/{number}", **facts) for number in range(count)))


def plan(known: Catalog, listed: Catalog, rules: Rules = ALL_MAY_GO, **more: Any) -> SyncPlan:
    """The plan that is no quarantine; `now` and `unreadable` are named."""
    now = more.pop("now", NOW)
    found = plan_sync(known, Fetched(models=listed, **more), now, rules)
    assert isinstance(found, SyncPlan), found
    return found


def after(known: Catalog, found: SyncPlan) -> Catalog:
    """The catalog when the plan is carried out."""
    return known | catalog(*(transition.model for transition in found.transitions))


@pytest.mark.parametrize(("of", "left", "passes"), [(100, 90, True), (100, 89, False), (9, 8, False), (10, 9, True),
                                                    (1, 0, False), (0, 5, True), (421, 392, True)])  # fmt: skip
def test_sync_plan_rejects_a_loss_above_one_tenth(of: int, left: int, passes: bool) -> None:
    known, listed = many(of), many(left)
    found = plan_sync(known, Fetched(models=listed), NOW, RULES)
    assert isinstance(found, SyncPlan) is passes
    if not passes:
        assert found == Quarantine(of - left, of)
        assert plan(known, listed, replace(RULES, accept_losses=True)).count(ChangeKind.MISSING) == of - left


def test_sync_plan_loss_ignores_models_already_missing() -> None:
    known = many(20) | catalog(*(a_model(f"b/{n}", missing_since=format_time(NOW)) for n in range(50)))
    assert plan(known, many(18), RULES).count(ChangeKind.MISSING) == 2
    assert plan_sync(known, Fetched(models=many(17)), NOW, RULES) == Quarantine(3, 20)


def test_sync_plan_ignores_a_model_with_an_unreadable_row() -> None:
    known = many(3)
    assert plan(known, many(1), unreadable=frozenset({"a/1", "a/2"})).transitions == []


def test_sync_plan_retires_a_missing_model_after_a_week() -> None:
    known = many(1)
    missing = after(known, first := plan(known, {}))
    assert missing == many(1, missing_since=format_time(NOW))
    assert (first.count(ChangeKind.MISSING), first.waiting) == (1, 1)
    assert plan(missing, {}, now=NOW + GRACE - HOUR).transitions == []
    retired = after(missing, last := plan(missing, {}, now=NOW + GRACE))
    assert retired == many(1, missing_since=format_time(NOW), is_active=False)
    assert (last.count(ChangeKind.REMOVED), last.waiting) == (1, 0)
    assert plan(retired, {}, now=NOW + 2 * GRACE).transitions == []
    for gone in (missing, retired):
        back = plan(gone, many(1), now=NOW + GRACE)
        assert (after(gone, back), back.count(ChangeKind.RETURNED), back.waiting) == (many(1), 1, 0)


@pytest.mark.parametrize(
    ("end", "retired"),
    [("2026-11-22", True), ("2026-11-21", True), ("2026-11-23", False), ("9999-01-01", False), ("soon", False)],
)
def test_sync_plan_retires_immediately_at_an_announced_end(end: str, retired: bool) -> None:
    known = many(1, expiration_date=end)
    assert after(known, plan(known, {}))["a/0"].is_active is not retired
    missing = after(known, plan(known, {}, now=NOW - timedelta(days=2)))
    assert after(missing, plan(missing, {}))["a/0"].is_active is not retired
    assert plan(known, known).transitions == [], "while it is listed it stays, whatever was announced"


def test_sync_plan_keeps_a_held_price_pending() -> None:
    known = many(1)
    found = plan(known, many(1, pricing={"prompt": "0", "completion": "0"}))
    assert (found.count(ChangeKind.PRICE_HELD), found.waiting) == (1, 1)
    accepted = plan(known, many(1, pricing={"prompt": "0"}), replace(RULES, accept_prices=True))
    assert (accepted.count(ChangeKind.REPRICED), accepted.waiting) == (1, 0)


PRICES = st.sampled_from([{"prompt": "1"}, {"prompt": "2"}, {"prompt": "0"}, {"prompt": "-1"}, {"prompt": "99"}])
LISTS: st.SearchStrategy[Catalog] = st.fixed_dictionaries(
    {},
    optional={
        key: st.builds(
            a_model,
            st.just(key),
            pricing=PRICES,
            context_length=st.sampled_from([1, 2]),
            expiration_date=st.sampled_from([None, "2026-11-24"]),
        )
        for key in ("a/1", "a/2", "a/3", "a/4")
    },
)


@given(st.lists(st.tuples(LISTS, st.integers(1, 200), st.booleans()), min_size=1, max_size=5), st.randoms())
def test_sync_plan_resumes_to_the_same_result_after_any_interruption(
    runs: list[tuple[Catalog, int, bool]], chance: Any
) -> None:
    whole: Catalog = {}
    broken: Catalog = {}
    now = NOW
    for listed, hours, breaks in runs:
        now += hours * HOUR
        whole = after(whole, plan(whole, listed, now=now))
        found = plan(broken, listed, now=now)
        if breaks:
            done = [transition for transition in found.transitions if chance.random() < 0.5]
            broken = after(broken, SyncPlan(done, 0))
            found = plan(broken, listed, now=now)
        broken = after(broken, found)
        assert broken == whole
        assert plan(whole, listed, now=now).transitions == [], "the same list again changes nothing"
