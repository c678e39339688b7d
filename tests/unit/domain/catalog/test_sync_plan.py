"""A sync plan marks models as missing, retired or returned, and can be interrupted at any point."""

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
ANY_LOSS = Rules(max_loss_percent=100)
HOUR = timedelta(hours=1)
type Catalog = dict[str, CatalogModel]


def catalog(*models: CatalogModel) -> Catalog:
    """Return the models by id."""
    return {model.openrouter_id: model for model in models}


def models(count: int, **facts: Any) -> Catalog:
    """Return this number of models."""
    return catalog(*(a_model(f"a/{number}", **facts) for number in range(count)))


def plan(known: Catalog, listed: Catalog, rules: Rules = ANY_LOSS, **more: Any) -> SyncPlan:
    """Return the plan, which must not be a quarantine; `more` can have `now` and `unreadable`."""
    now = more.pop("now", NOW)
    found = plan_sync(known, Fetched(models=listed, **more), now, rules)
    assert isinstance(found, SyncPlan), found
    return found


def after(known: Catalog, found: SyncPlan) -> Catalog:
    """Return the catalog after the plan is applied."""
    return known | catalog(*(transition.model for transition in found.transitions))


@pytest.mark.parametrize(("of", "left", "accepted"), [(100, 90, True), (100, 89, False), (9, 8, False), (10, 9, True),
                                                    (1, 0, False), (0, 5, True), (421, 392, True)])  # fmt: skip
def test_sync_plan_rejects_a_loss_above_one_tenth(of: int, left: int, accepted: bool) -> None:
    known, listed = models(of), models(left)
    found = plan_sync(known, Fetched(models=listed), NOW, RULES)
    assert isinstance(found, SyncPlan) is accepted
    if not accepted:
        assert found == Quarantine(of - left, of)
        assert plan(known, listed, replace(RULES, accept_losses=True)).count(ChangeKind.MISSING) == of - left


def test_sync_plan_loss_ignores_models_already_missing() -> None:
    known = models(20) | catalog(*(a_model(f"b/{n}", missing_since=format_time(NOW)) for n in range(50)))
    assert plan(known, models(18), RULES).count(ChangeKind.MISSING) == 2
    assert plan_sync(known, Fetched(models=models(17)), NOW, RULES) == Quarantine(3, 20)


def test_sync_plan_ignores_a_model_with_an_unreadable_row() -> None:
    known = models(3)
    assert plan(known, models(1), unreadable=frozenset({"a/1", "a/2"})).transitions == []


def test_sync_plan_retires_a_missing_model_after_a_week() -> None:
    known = models(1)
    missing = after(known, first := plan(known, {}))
    assert missing == models(1, missing_since=format_time(NOW))
    assert (first.count(ChangeKind.MISSING), first.waiting) == (1, 1)
    assert plan(missing, {}, now=NOW + GRACE - HOUR).transitions == []
    retired = after(missing, last := plan(missing, {}, now=NOW + GRACE))
    assert retired == models(1, missing_since=format_time(NOW), is_active=False)
    assert (last.count(ChangeKind.REMOVED), last.waiting) == (1, 0)
    assert plan(retired, {}, now=NOW + 2 * GRACE).transitions == []
    for gone in (missing, retired):
        back = plan(gone, models(1), now=NOW + GRACE)
        assert (after(gone, back), back.count(ChangeKind.RETURNED), back.waiting) == (models(1), 1, 0)


@pytest.mark.parametrize(
    ("end", "retired"),
    [("2026-11-22", True), ("2026-11-21", True), ("2026-11-23", False), ("9999-01-01", False), ("soon", False)],
)
def test_sync_plan_retires_immediately_at_an_announced_end(end: str, retired: bool) -> None:
    known = models(1, expiration_date=end)
    assert after(known, plan(known, {}))["a/0"].is_active is not retired
    missing = after(known, plan(known, {}, now=NOW - timedelta(days=2)))
    assert after(missing, plan(missing, {}))["a/0"].is_active is not retired
    assert plan(known, known).transitions == [], "a listed model stays active after its announced end"


def test_sync_plan_keeps_a_held_price_pending() -> None:
    known = models(1)
    found = plan(known, models(1, pricing={"prompt": "0", "completion": "0"}))
    assert (found.count(ChangeKind.PRICE_HELD), found.waiting) == (1, 1)
    never = plan(known, models(1, pricing={"prompt": "-1", "completion": "-1"}))
    assert (never.count(ChangeKind.PRICE_HELD), never.waiting) == (1, 0), "time does not accept a negative price"
    accepted = plan(known, models(1, pricing={"prompt": "0"}), replace(RULES, accept_prices=True))
    assert (accepted.count(ChangeKind.REPRICED), accepted.waiting) == (1, 0)


def test_sync_plan_does_not_wait_for_a_held_price_of_a_retired_model() -> None:
    known = models(1)
    held = after(known, plan(known, models(1, pricing={"prompt": "0", "completion": "0"})))
    missing = after(held, plan(held, {}))
    retiring = plan(missing, {}, now=NOW + GRACE)
    assert (retiring.count(ChangeKind.REMOVED), retiring.waiting) == (1, 0)
    assert after(missing, retiring)["a/0"].price_held
    assert plan(after(missing, retiring), {}, now=NOW + GRACE).waiting == 0


def test_sync_plan_keeps_the_facts_of_fields_with_an_unknown_shape() -> None:
    known = models(1, context_length=8, max_tokens=4)
    fetched = Fetched(
        models=models(1, context_length=None, max_tokens=5), unread={"a/0": frozenset({"context_length"})}
    )
    found = plan_sync(known, fetched, NOW, RULES)
    assert isinstance(found, SyncPlan)
    assert after(known, found) == models(1, context_length=8, max_tokens=5)
    new = plan_sync({}, fetched, NOW, RULES)
    assert isinstance(new, SyncPlan)
    assert after({}, new)["a/0"].context_length is None


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
def test_sync_plan_has_the_same_result_after_any_interruption(
    runs: list[tuple[Catalog, int, bool]], random: Any
) -> None:
    uninterrupted: Catalog = {}
    interrupted: Catalog = {}
    now = NOW
    for listed, hours, is_interrupted in runs:
        now += hours * HOUR
        uninterrupted = after(uninterrupted, plan(uninterrupted, listed, now=now))
        found = plan(interrupted, listed, now=now)
        if is_interrupted:
            done = [transition for transition in found.transitions if random.random() < 0.5]
            interrupted = after(interrupted, SyncPlan(done, 0))
            found = plan(interrupted, listed, now=now)
        interrupted = after(interrupted, found)
        assert interrupted == uninterrupted
        assert plan(uninterrupted, listed, now=now).transitions == [], "a second sync of the same list changes nothing"
