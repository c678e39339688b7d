"""What one sync is to write, decided from what is known and what was fetched: no clock, no I/O."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from instant.domain.catalog.change import ChangeKind, ModelChange, changes_of
from instant.domain.catalog.model import CatalogModel, announced_end
from instant.domain.catalog.price_hold import settled
from instant.domain.clock import format_time, parse_time

GRACE = timedelta(days=7)
"""How long a model may be missing before it is retired: 29 of them were once gone for 139 hours, and came back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How much one sync may lose, in percent of the models listed so far, and what an admin lets pass this once."""

    max_loss_percent: int
    accept_losses: bool = False
    accept_prices: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A whole catalog as it was fetched; of the `unreadable` models it is only known that they are listed."""

    models: Mapping[str, CatalogModel]
    unreadable: frozenset[str] = frozenset()
    validator: str | None = None


@dataclass(frozen=True, slots=True)
class Transition:
    """A model as it is or is to be stored, together with what last changed about it, all at one time."""

    model: CatalogModel
    changes: tuple[ModelChange, ...]

    @property
    def at(self) -> str:
        """When that was; empty if nothing is known of it."""
        return self.changes[0].at if self.changes else ""


@dataclass(frozen=True, slots=True)
class SyncPlan:
    """What is to be written; `waiting` counts the models that time alone will change."""

    transitions: Sequence[Transition]
    waiting: int

    def count(self, kind: ChangeKind) -> int:
        """How many models change in this way."""
        return sum(change.kind is kind for transition in self.transitions for change in transition.changes)


@dataclass(frozen=True, slots=True)
class Quarantine:
    """Too much would be lost: nothing is to be written."""

    lost: int
    listed: int


def plan_sync(
    known: Mapping[str, CatalogModel], fetched: Fetched, now: datetime, rules: Rules
) -> SyncPlan | Quarantine:
    """Each model that changes, whole, with its changes; or a `Quarantine`."""
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
    """Every model that was fetched or is missing, as it is from now on."""
    for key, model in fetched.models.items():
        yield settled(known.get(key), model, now, accept=rules.accept_prices)
    for model in known.values():
        if model.is_active and _is_absent(model, fetched):
            yield _absent(model, now)


def _is_absent(model: CatalogModel, fetched: Fetched) -> bool:
    return model.openrouter_id not in fetched.models and model.openrouter_id not in fetched.unreadable


def _absent(model: CatalogModel, now: datetime) -> CatalogModel:
    """Missing for now, or retired: after a time, or at once when its announced end has come."""
    since = model.missing_since or format_time(now)
    end = announced_end(model)
    is_over = (end is not None and end <= now.date()) or now - parse_time(since) >= GRACE
    return replace(model, missing_since=since, is_active=not is_over)


def _waits(model: CatalogModel) -> bool:
    return (model.is_active and model.missing_since is not None) or bool(model.price_held)
