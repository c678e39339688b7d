"""The catalog can be rebuilt from a model's change history, forwards and backwards."""

import json
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instant.domain.catalog.change import (
    HOLD,
    PRESENCE,
    PRICES,
    ChangeKind,
    ModelChange,
    before,
    changes_from,
    changes_of,
    undo,
)
from instant.domain.catalog.model import CatalogModel
from tests.fakes.builders import NOON, a_model
from tests.fakes.history import redo

WORDS = st.lists(st.sampled_from("abc"), max_size=2, unique=True).map(lambda words: tuple(sorted(words)))
PRICING = st.dictionaries(st.sampled_from(["prompt", "image"]), st.sampled_from(["0", "0.1", "-1"]), max_size=2)
FACTS: dict[str, st.SearchStrategy[Any]] = {
    "canonical_slug": st.sampled_from("xy"),
    "display_name": st.sampled_from("xy"),
    "provider": st.just("a"),
    "description": st.sampled_from(["", "d"]),
    "released_at": st.sampled_from([None, 0, 1]),
    "context_length": st.sampled_from([None, 1, 2]),
    "max_tokens": st.sampled_from([None, 1, 2]),
    "input_modalities": WORDS,
    "output_modalities": WORDS,
    "supported_parameters": WORDS,
    "supported_voices": WORDS,
    "top_context_length": st.sampled_from([None, 1, 2]),
    "knowledge_cutoff": st.sampled_from([None, "2026-01-01"]),
    "is_moderated": st.sampled_from([None, True, False]),
    "default_parameters": st.sampled_from([{}, {"temperature": 0.5}]),
    "pricing": PRICING,
    "price_overrides": st.lists(PRICING, max_size=2).map(tuple),
    "discount": st.sampled_from([None, "0.5"]),
    "reasoning": st.sampled_from([{}, {"mandatory": True}]),
    "expiration_date": st.sampled_from([None, "2026-12-01"]),
    "alias_target": st.sampled_from([None, "a/b"]),
    "is_active": st.booleans(),
    "missing_since": st.sampled_from([None, NOON]),
    "price_held": PRICING,
    "price_held_since": st.sampled_from([None, NOON]),
}
type Catalog = dict[str, CatalogModel]
CATALOGS: st.SearchStrategy[Catalog] = st.fixed_dictionaries(
    {},
    optional={key: st.builds(CatalogModel, openrouter_id=st.just(key), **FACTS) for key in ("a/1", "a/2", "a/3")},
)


def stored(change: ModelChange) -> ModelChange:
    """Return the change as it is read from the table, with lists instead of tuples."""
    return replace(change, old=json.loads(json.dumps(change.old)), new=json.loads(json.dumps(change.new)))


def history(states: list[Catalog]) -> list[ModelChange]:
    """Return all changes between the states, oldest first; models absent from a state stay unchanged."""
    found: list[ModelChange] = []
    known: Catalog = {}
    for when, state in enumerate(states):
        found += (stored(c) for key, model in state.items() for c in changes_of(known.get(key), model, str(when)))
        known |= state
    return found


@given(st.lists(CATALOGS, min_size=1, max_size=5))
def test_change_history_rebuilds_every_state(states: list[Catalog]) -> None:
    changes = history(states)
    known: Catalog = {}
    final: Catalog = {key: model for state in states for key, model in state.items()}
    rebuilt: Catalog = {}
    for when, state in enumerate(states):
        known |= state
        for change in (change for change in changes if change.at == str(when)):
            rebuilt[change.openrouter_id] = redo(rebuilt.get(change.openrouter_id), change)
        assert rebuilt == known
        later = [change for change in reversed(changes) if change.at > str(when)]
        assert before(final.values(), later) == [known[key] for key in sorted(known)]


@given(CATALOGS, CATALOGS)
def test_change_list_is_reproducible_from_the_old_values(old: Catalog, new: Catalog) -> None:
    for key, model in new.items():
        changes = changes_of(old.get(key), model, NOON)
        assert changes_from(model, NOON, {change.kind: change.old for change in changes}) == changes


def test_change_list_is_empty_for_equal_models() -> None:
    assert changes_of(a_model(), a_model(), NOON) == ()


def test_change_for_a_new_model_has_every_field() -> None:
    (change,) = changes_of(None, a_model(), NOON)
    assert (change.kind, change.old, change.at) == (ChangeKind.ADDED, {}, NOON)
    assert redo(None, change) == a_model()
    assert undo(a_model(), change) is None


CHANGES: list[tuple[dict[str, Any], dict[str, Any], ChangeKind]] = [
    ({}, {"missing_since": NOON}, ChangeKind.MISSING),
    ({"missing_since": NOON}, {"missing_since": NOON, "is_active": False}, ChangeKind.REMOVED),
    ({}, {"missing_since": NOON, "is_active": False}, ChangeKind.REMOVED),
    ({"missing_since": NOON, "is_active": False}, {}, ChangeKind.RETURNED),
    ({"missing_since": NOON}, {}, ChangeKind.RETURNED),
    ({}, {"pricing": {"prompt": "1"}}, ChangeKind.REPRICED),
    ({}, {"price_overrides": ({"prompt": "1"},)}, ChangeKind.REPRICED),
    ({}, {"discount": "0.5"}, ChangeKind.DESCRIPTION),
    ({}, {"alias_target": "a/b"}, ChangeKind.DESCRIPTION),
    ({"alias_target": "a/b"}, {"alias_target": None}, ChangeKind.DESCRIPTION),
    ({}, {"price_held": {"prompt": "0"}, "price_held_since": NOON}, ChangeKind.PRICE_HELD),
    ({"price_held": {"prompt": "0"}}, {"price_held": {"prompt": "9"}}, ChangeKind.PRICE_HELD),
    ({"price_held": {"prompt": "0", "image": "0"}}, {"price_held": {"image": "0"}}, ChangeKind.HOLD_WITHDRAWN),
    ({"price_held": {"prompt": "0"}}, {"pricing": {"prompt": "0"}}, ChangeKind.REPRICED),
    ({"price_held": {"prompt": "0"}}, {}, ChangeKind.HOLD_WITHDRAWN),
    ({"alias_target": "a/b"}, {"alias_target": "a/c"}, ChangeKind.RETARGETED),
    ({}, {"context_length": 9}, ChangeKind.LIMITS),
    ({}, {"max_tokens": None}, ChangeKind.LIMITS),
    ({}, {"supported_parameters": ("tools",)}, ChangeKind.CAPABILITIES),
    ({}, {"reasoning": {"mandatory": True}}, ChangeKind.CAPABILITIES),
    ({}, {"expiration_date": "2027-01-01"}, ChangeKind.EXPIRATION),
    ({}, {"description": "Better."}, ChangeKind.DESCRIPTION),
    ({}, {"top_context_length": 9}, ChangeKind.LIMITS),
    ({}, {"is_moderated": True}, ChangeKind.DESCRIPTION),
    ({"knowledge_cutoff": "2026-01-01"}, {"knowledge_cutoff": None}, ChangeKind.DESCRIPTION),
    ({}, {"supported_voices": ("alto",)}, ChangeKind.DESCRIPTION),
]


@pytest.mark.parametrize(("old", "new", "kind"), CHANGES)
def test_change_records_its_kind_and_the_differing_fields(
    old: dict[str, Any], new: dict[str, Any], kind: ChangeKind
) -> None:
    old_model, new_model = a_model(**old), a_model(**new)
    (change,) = changes_of(old_model, new_model, NOON)
    assert change.kind is kind
    assert (
        change.old.keys()
        == change.new.keys()
        == {
            fact.name for fact in fields(CatalogModel) if getattr(old_model, fact.name) != getattr(new_model, fact.name)
        }
    )


def test_change_separates_a_new_hold_from_another_price() -> None:
    old = a_model(pricing={"prompt": "1", "completion": "1"})
    new = replace(old, pricing={"prompt": "1", "completion": "2"}, price_held={"prompt": "99"}, price_held_since=NOON)
    found = {change.kind: set(change.old) for change in changes_of(old, new, NOON)}
    assert found == {ChangeKind.PRICE_HELD: HOLD, ChangeKind.REPRICED: {"pricing"}}
    accepted = replace(old, pricing={"prompt": "99", "completion": "2"})
    assert [(change.kind, set(change.old)) for change in changes_of(new, accepted, NOON)] == [
        (ChangeKind.REPRICED, {"pricing", *HOLD})
    ]


def test_change_ignores_what_the_holding_of_prices_remembers() -> None:
    doubtful = replace(a_model(), price_doubts={"prompt": {"since": NOON, "seen": NOON}})
    assert changes_of(a_model(), doubtful, NOON) == ()


def test_change_list_keeps_simultaneous_kinds_separate() -> None:
    found = changes_of(a_model(), a_model(context_length=9, pricing={}, missing_since=NOON), NOON)
    assert {change.kind for change in found} == {ChangeKind.LIMITS, ChangeKind.REPRICED, ChangeKind.MISSING}


@pytest.mark.parametrize("name", [fact.name for fact in fields(CatalogModel) if fact.compare][1:])
def test_change_detection_covers_every_field(name: str) -> None:
    values: dict[str, Any] = {
        "is_active": False,
        "price_overrides": ({"prompt": "1"},),
        "released_at": 7,
        "context_length": 7,
    }
    odd: Any = values.get(name, {"odd": "1"} if isinstance(getattr(a_model(), name), dict) else ("odd",))
    (change,) = changes_of(a_model(), replace(a_model(), **{name: odd}), NOON)
    assert list(change.new) == [name]
    assert (change.kind in {ChangeKind.REMOVED, ChangeKind.RETURNED, ChangeKind.MISSING}) == (name in PRESENCE)
    assert (change.kind in {ChangeKind.REPRICED, ChangeKind.PRICE_HELD, ChangeKind.HOLD_WITHDRAWN}) == (
        name in PRICES | HOLD
    )


def test_change_replay_ignores_removed_fields() -> None:
    change = ModelChange(openrouter_id="a/b", at=NOON, kind=ChangeKind.LIMITS, old={"weight": 1}, new={"weight": 2})
    assert undo(a_model(), change) == redo(a_model(), change) == a_model()
