"""After a sync, send an event for every resource whose models changed."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from instant.domain.catalog.change import ModelChange
from instant.domain.catalog.impact import affected_events, is_notifiable
from instant.domain.catalog.successor import successor_of
from instant.ports.catalog.changes import ChangeLists
from instant.ports.catalog.lookup import ModelLookup
from instant.ports.clock import Clock
from instant.ports.event_bus import EventBus
from instant.ports.resources.models_in_use import UsesOfModels
from instant.resource_types import why_unsupported

RESOURCE_AFFECTED = "resource/model.affected"
"""The event for one change of one model that one resource uses."""


_log = logging.getLogger(__name__)


class NotificationFailed(Exception):
    """Some notifications failed; the log contains the models and reasons."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifyDeps:
    """The dependencies of notifying owners."""

    changes: ChangeLists
    uses: UsesOfModels
    models: ModelLookup
    bus: EventBus
    clock: Clock


@dataclass(frozen=True, slots=True)
class NotifyResult:
    """The number of models with notifications, and the number of events sent."""

    models: int
    events: int


def notify_owners(models: Sequence[str], since: str, deps: NotifyDeps) -> NotifyResult:
    """Send an event for each resource that uses one of `models` and each thing that changed about it after `since`.

    A failure for one model does not stop the others. The failure is raised at the end, so that the invocation is
    retried; repeated events have the same id.
    """
    sent, failed = list[int](), list[str]()
    for name in models:
        try:
            if news := [change for change in deps.changes.after(since, name) if is_notifiable(change)]:
                sent.append(deps.bus.put_all(RESOURCE_AFFECTED, _events(name, news, deps)))
        except Exception:
            _log.exception("owners of resources that use %s were not notified", name)
            failed.append(name)
    if failed:
        raise NotificationFailed(f"{len(failed)} of {len(models)} models have failed notifications")
    return NotifyResult(len(sent), sum(sent))


def _events(name: str, changes: Sequence[ModelChange], deps: NotifyDeps) -> Iterator[dict[str, object]]:
    """The events for one model; its successor is looked up only if a resource uses the model."""
    uses = iter(deps.uses.of(name))
    for use in uses:
        successor = _successor(name, deps)
        yield from affected_events(use, changes, successor)
        for other in uses:
            yield from affected_events(other, changes, successor)


def _successor(name: str, deps: NotifyDeps) -> str | None:
    model = deps.models.get(name)
    found = None
    if model:
        today = deps.clock.now().date()
        found = successor_of(model, deps.models.related(model), today, why_unsupported)
    return found.openrouter_id if found else None
