"""Changes of a model, recorded so that the catalog can be reconstructed as of any time."""

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import MISSING, dataclass, fields, replace
from enum import StrEnum
from typing import Any

from instant.domain.catalog.model import CatalogModel


class ChangeKind(StrEnum):
    """The kind of a change."""

    ADDED = "added"
    MISSING = "missing"
    REMOVED = "removed"
    RETURNED = "returned"
    REPRICED = "repriced"
    PRICE_HELD = "price_held"
    HOLD_WITHDRAWN = "hold_withdrawn"
    RETARGETED = "retargeted"
    LIMITS = "limits"
    CAPABILITIES = "capabilities"
    EXPIRATION = "expiration"
    DESCRIPTION = "description"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelChange:
    """One change of one model: the facts that differ, by name, with their values before and since `at`.

    For an added model `old` is empty, and `new` has all facts that are not empty.
    """

    openrouter_id: str
    at: str
    kind: ChangeKind
    old: Mapping[str, Any]
    new: Mapping[str, Any]


PRESENCE = frozenset({"is_active", "missing_since"})
PRICES = frozenset({"pricing", "price_overrides"})
HOLD = frozenset({"price_held", "price_held_since"})

_KINDS = {
    ChangeKind.LIMITS: {"context_length", "max_tokens", "top_context_length"},
    ChangeKind.CAPABILITIES: {
        "input_modalities",
        "output_modalities",
        "supported_parameters",
        "default_parameters",
        "reasoning",
    },
    ChangeKind.EXPIRATION: {"expiration_date"},
    ChangeKind.DESCRIPTION: {
        "canonical_slug",
        "display_name",
        "provider",
        "description",
        "released_at",
        "knowledge_cutoff",
        "supported_voices",
        "is_moderated",
        "discount",
    },
}
"""The change kind of each fact for which it does not depend on the value."""

_FACTS = {fact.name: fact for fact in fields(CatalogModel) if fact.name != "openrouter_id" and fact.compare}
_LISTS = {name for name, fact in _FACTS.items() if str(fact.type).startswith("tuple")}


def changes_of(old: CatalogModel | None, new: CatalogModel, at: str) -> tuple[ModelChange, ...]:
    """The changes from `old` to `new`, one per kind; empty if they are equal."""
    if old is None:
        return changes_from(new, at, {ChangeKind.ADDED: {}})
    changed = {name for name in _FACTS if getattr(old, name) != getattr(new, name)}
    return changes_from(new, at, {kind: _picked(old, names) for kind, names in _by_kind(changed, old, new).items()})


def changes_from(new: CatalogModel, at: str, old: Mapping[ChangeKind, Mapping[str, Any]]) -> tuple[ModelChange, ...]:
    """Reconstruct the changes that led to `new` from the previous facts by kind."""
    return tuple(
        ModelChange(
            openrouter_id=new.openrouter_id,
            at=at,
            kind=kind,
            old=facts,
            new=_facts_of(new) if kind is ChangeKind.ADDED else _picked(new, facts),
        )
        for kind, facts in old.items()
    )


def undo(model: CatalogModel, change: ModelChange) -> CatalogModel | None:
    """The model before the change; None if there was none."""
    return None if change.kind is ChangeKind.ADDED else replace(model, **typed(change.old))


def typed(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Convert facts that were stored as JSON: it has no tuples, and can contain a fact that no longer exists."""
    return {name: tuple(value) if name in _LISTS else value for name, value in facts.items() if name in _FACTS}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeFilter:
    """A filter of changes; None matches all. `since` is inclusive."""

    since: str | None = None
    kind: ChangeKind | None = None
    author: str | None = None
    model: str | None = None


def before(models: Iterable[CatalogModel], changes: Iterable[ModelChange]) -> list[CatalogModel]:
    """The models as they were before `changes` (newest first); sorted by id."""
    rows: dict[str, CatalogModel | None] = {model.openrouter_id: model for model in models}
    for change in changes:
        row = rows.get(change.openrouter_id)
        rows[change.openrouter_id] = row and undo(row, change)
    return [row for _, row in sorted(rows.items()) if row]


def _by_kind(changed: set[str], old: CatalogModel, new: CatalogModel) -> dict[ChangeKind, set[str]]:
    groups = [
        (_presence(new), PRESENCE),
        (_alias(old, new), {"alias_target"}),
        *_prices(changed, old, new),
        *_KINDS.items(),
    ]
    found: dict[ChangeKind, set[str]] = {}
    for kind, names in groups:
        if names & changed:
            found[kind] = found.get(kind, set()) | (names & changed)
    return found


def _presence(new: CatalogModel) -> ChangeKind:
    if new.missing_since is None:
        return ChangeKind.RETURNED
    return ChangeKind.MISSING if new.is_active else ChangeKind.REMOVED


def _alias(old: CatalogModel, new: CatalogModel) -> ChangeKind:
    """An alias is retargeted if it changes from one model to another; it can also become or cease to be an alias."""
    return ChangeKind.RETARGETED if old.alias_target and new.alias_target else ChangeKind.DESCRIPTION


def _prices(changed: set[str], old: CatalogModel, new: CatalogModel) -> Iterator[tuple[ChangeKind, Set[str]]]:
    """The change of the prices and that of the held ones; a hold that ends in a new price is part of its change."""
    if not new.price_held.items() <= old.price_held.items():
        yield ChangeKind.PRICE_HELD, HOLD
        yield ChangeKind.REPRICED, PRICES
    elif changed & PRICES:
        yield ChangeKind.REPRICED, PRICES | HOLD
    else:
        yield ChangeKind.HOLD_WITHDRAWN, HOLD


def _picked(model: CatalogModel, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(model, name) for name in sorted(names) if name in _FACTS}


def _facts_of(model: CatalogModel) -> dict[str, Any]:
    """All facts that differ from those of an empty model."""
    return {name: value for name, value in _picked(model, _FACTS).items() if value != _default(name)}


def _default(name: str) -> object:
    fact = _FACTS[name]
    return fact.default_factory() if fact.default_factory is not MISSING else fact.default
