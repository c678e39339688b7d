"""The impact of a catalog change on a resource: its status, both prices, and events with stable ids."""

import json
from dataclasses import replace
from datetime import date

import pytest

from instant.domain.catalog.change import ChangeKind, ModelChange
from instant.domain.catalog.impact import Use, affected_events, is_notifiable, price_of, used_model
from instant.domain.catalog.successor import SuccessorPolicy
from instant.resource_types.openrouter_instant import OpenRouterInstant
from tests.fakes.builders import NOON, a_model

SUPPORTS = OpenRouterInstant().supports

TODAY = date(2026, 11, 22)
MODEL = a_model(price_overrides=({"min_prompt_tokens": 9, "prompt": "0.1"},), discount="0.5")
USE = Use(resource_id="res_1", owner_id="user_alice", successor_policy=SuccessorPolicy.SUGGEST)
CHANGE = ModelChange(
    openrouter_id=MODEL.openrouter_id, at=NOON, kind=ChangeKind.REMOVED, old={"is_active": True}, new={}
)


def test_impact_treats_a_stored_price_as_equal() -> None:
    saved = json.loads(json.dumps(price_of(MODEL)))
    used = used_model(MODEL.openrouter_id, MODEL, saved, TODAY, SUPPORTS)
    assert (used.status, used.saved_price, used.price) == ("ok", None, None)


@pytest.mark.parametrize(
    "now",
    [
        replace(MODEL, pricing={**MODEL.pricing, "prompt": "0.00000003"}),
        replace(MODEL, pricing={**MODEL.pricing, "web_search": "0.01"}),
        replace(MODEL, price_overrides=()),
    ],
    ids=["lower", "another", "no tiers"],
)
def test_impact_reports_any_other_price_as_changed(now: object) -> None:
    assert used_model("x", now, price_of(MODEL), TODAY, SUPPORTS).status == "price_changed"  # type: ignore[arg-type]
    assert used_model("x", now, None, TODAY, SUPPORTS).status == "ok", "no price was saved"  # type: ignore[arg-type]


def test_impact_ignores_the_discount() -> None:
    saved = {**price_of(MODEL), "discount": "0.5"}
    assert used_model("x", replace(MODEL, discount=None), saved, TODAY, SUPPORTS).status == "ok"


def test_impact_reports_the_worse_status_and_keeps_the_price() -> None:
    ending = replace(MODEL, expiration_date="2026-12-01", price_overrides=())
    used = used_model("x", ending, price_of(MODEL), TODAY, SUPPORTS)
    assert (used.status, used.saved_price, used.price) == ("expiring", price_of(MODEL), price_of(ending))
    missing = replace(ending, missing_since=NOON)
    assert used_model("x", missing, price_of(MODEL), TODAY, SUPPORTS).status == "missing"
    assert used_model("x", replace(missing, is_active=False), None, TODAY, SUPPORTS).status == "gone"
    assert used_model("x", None, price_of(MODEL), TODAY, SUPPORTS).status == "gone"


def test_impact_event_id_is_stable_and_differs_between_events() -> None:
    others = [
        (replace(USE, resource_id="res_2"), CHANGE),
        (USE, replace(CHANGE, openrouter_id="meadow/lark")),
        (USE, replace(CHANGE, at="2026-11-22T12:00:00.000001Z")),
        (USE, replace(CHANGE, kind=ChangeKind.MISSING)),
    ]
    ids = [
        one["id"] for use, change in [(USE, CHANGE), *others] for one in affected_events(use, [change], "meadow/lark")
    ]
    assert len(set(ids)) == len(ids) == 5
    assert [one["id"] for one in affected_events(replace(USE, owner_id="user_bob"), [CHANGE], None)] == ids[:1]


@pytest.mark.parametrize(
    ("policy", "should_notify"), [("none", None), ("suggest", "meadow/lark"), ("switch", "meadow/lark")]
)
def test_impact_suggests_a_successor_only_if_the_policy_allows(policy: str, should_notify: str | None) -> None:
    (one,) = affected_events(replace(USE, successor_policy=SuccessorPolicy(policy)), [CHANGE], "meadow/lark")
    assert one["successor"] == should_notify
    assert json.loads(json.dumps(one)) == one


HELD: dict[str, object] = {"price_held": {"prompt": "0"}, "price_held_since": NOON}
NEVER, SOON, LATER = "2098-12-31", "2026-12-01", "2027-01-31"


@pytest.mark.parametrize(
    ("kind", "old", "new", "should_notify"),
    [
        ("added", {}, {"is_active": True}, False),
        ("missing", {"missing_since": None}, {"missing_since": NOON}, True),
        ("removed", {"is_active": True}, {"is_active": False}, True),
        ("returned", {"missing_since": NOON}, {"missing_since": None}, True),
        ("retargeted", {"alias_target": "a/b"}, {"alias_target": "a/c"}, True),
        ("repriced", {"pricing": {"prompt": "1"}}, {"pricing": {"prompt": "2"}}, True),
        ("repriced", {"price_overrides": []}, {"price_overrides": [{"prompt": "2"}]}, True),
        ("repriced", {"discount": None}, {"discount": "0.5"}, False),
        ("description", {"discount": None}, {"discount": "0.5"}, False),
        ("repriced", {"pricing": {"prompt": "1"}, **HELD}, {"pricing": {"prompt": "0"}, "price_held": {}}, True),
        ("repriced", HELD, {"price_held": {}, "price_held_since": None}, False),
        ("hold_withdrawn", HELD, {"price_held": {}, "price_held_since": None}, False),
        ("price_held", {"price_held": {}, "price_held_since": None}, HELD, False),
        ("expiration", {"expiration_date": None}, {"expiration_date": SOON}, True),
        ("expiration", {"expiration_date": SOON}, {"expiration_date": LATER}, True),
        ("expiration", {"expiration_date": LATER}, {"expiration_date": None}, True),
        ("expiration", {"expiration_date": SOON}, {"expiration_date": NEVER}, True),
        ("expiration", {"expiration_date": None}, {"expiration_date": NEVER}, False),
        ("expiration", {"expiration_date": NEVER}, {"expiration_date": "one day"}, False),
        ("limits", {"max_tokens": 1}, {"max_tokens": 2}, False),
        ("capabilities", {"reasoning": {}}, {"reasoning": {"mandatory": True}}, False),
        ("description", {"description": ""}, {"description": "New."}, False),
    ],
)
def test_impact_notifies_users_only_of_relevant_changes(
    kind: str, old: dict[str, object], new: dict[str, object], should_notify: bool
) -> None:
    change = ModelChange(openrouter_id="a/b", at=NOON, kind=ChangeKind(kind), old=old, new=new)
    assert is_notifiable(change) is should_notify
