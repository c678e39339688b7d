"""Computes the writes of one sync from the stored and the fetched catalog, without clock or I/O."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from instant.domain.catalog.change import ChangeKind, ModelChange, changes_of
from instant.domain.catalog.model import CatalogModel, announced_end
from instant.domain.catalog.price_hold import settled, waits
from instant.domain.clock import format_time, parse_time

GRACE = timedelta(days=7)
"""How long a model can be missing before it is retired: 29 models once returned after 139 hours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Limits of one sync: the maximum loss in percent of the listed models, and an admin's overrides for this sync."""

    max_loss_percent: int
    accept_losses: bool = False
    accept_prices: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A complete catalog as fetched; the `unreadable` models are listed, but their rows cannot be parsed or used.

    `unread` names the facts of a model that have an unknown shape: they keep their values. `left_out` counts the rows
    by the field that has an unknown shape; `skipped` has the rows that cannot be used, each with the reason.
    """

    models: Mapping[str, CatalogModel]
    unreadable: frozenset[str] = frozenset()
    unread: Mapping[str, frozenset[str]] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)
    skipped: Sequence[tuple[str, str]] = ()
    validator: str | None = None


@dataclass(frozen=True, slots=True)
class Transition:
    """A model as it is or will be stored, with its latest changes, all of the same time."""

    model: CatalogModel
    changes: tuple[ModelChange, ...]

    @property
    def at(self) -> str:
        """The time of the changes; empty if there are none."""
        return self.changes[0].at if self.changes else ""


@dataclass(frozen=True, slots=True)
class SyncPlan:
    """The writes of a sync; `waiting` counts the models that will change by the passage of time alone."""

    transitions: Sequence[Transition]
    waiting: int

    def count(self, kind: ChangeKind) -> int:
        """The number of models with a change of this kind."""
        return len(self.models(kind))

    def models(self, kind: ChangeKind) -> Sequence[str]:
        """The models with a change of this kind."""
        changes = (change for transition in self.transitions for change in transition.changes)
        return [change.openrouter_id for change in changes if change.kind is kind]


@dataclass(frozen=True, slots=True)
class Quarantine:
    """The sync would remove too many models, so nothing is written."""

    lost: int
    listed: int


def plan_sync(
    known: Mapping[str, CatalogModel], fetched: Fetched, now: datetime, rules: Rules
) -> SyncPlan | Quarantine:
    """Each changed model, complete, with its changes; or a `Quarantine`."""
    listed = [model for model in known.values() if model.is_active and model.missing_since is None]
    lost = sum(_is_absent(model, fetched) for model in listed)
    if lost * 100 > rules.max_loss_percent * len(listed) and not rules.accept_losses:
        return Quarantine(lost, len(listed))
    after = {**known, **{model.openrouter_id: model for model in _next(known, fetched, now, rules)}}
    transitions = [
        Transition(model, changes)
        for key, model in after.items()
        if (changes := changes_of(known.get(key), model, format_time(now)))
    ]
    return SyncPlan(transitions, sum(_waits(model) for model in after.values()))


def _next(known: Mapping[str, CatalogModel], fetched: Fetched, now: datetime, rules: Rules) -> Iterator[CatalogModel]:
    """The new state of every model that was fetched or is missing."""
    for key, model in fetched.models.items():
        old = known.get(key)
        yield settled(old, _completed(model, old, fetched.unread.get(key)), now, accept=rules.accept_prices)
    for model in known.values():
        if model.is_active and _is_absent(model, fetched):
            yield _absent(model, now)


def _completed(model: CatalogModel, old: CatalogModel | None, unread: Iterable[str] | None) -> CatalogModel:
    """The model with the previous values of facts whose new values have an unknown shape."""
    return replace(model, **{name: getattr(old, name) for name in unread}) if old and unread else model


def _is_absent(model: CatalogModel, fetched: Fetched) -> bool:
    return model.openrouter_id not in fetched.models and model.openrouter_id not in fetched.unreadable


def _absent(model: CatalogModel, now: datetime) -> CatalogModel:
    """The model marked as missing, or as retired after `GRACE`, or immediately if its announced end was reached."""
    since = model.missing_since or format_time(now)
    end = announced_end(model)
    is_over = (end is not None and end <= now.date()) or now - parse_time(since) >= GRACE
    return replace(model, missing_since=since, is_active=not is_over)


def _waits(model: CatalogModel) -> bool:
    return model.is_active and (model.missing_since is not None or waits(model))
