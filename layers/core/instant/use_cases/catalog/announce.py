"""After a sync has written its models, send events that request notification of the owners of affected resources."""

import logging
from collections.abc import Iterable
from itertools import batched

from instant.domain.catalog.change import ChangeKind
from instant.domain.catalog.model import SyncRecord
from instant.domain.catalog.sync_plan import Transition
from instant.ports.event_bus import EventBus

MODELS_CHANGED = "openrouter/models.changed"
"""The event that requests notification of the owners of resources that use some models."""

MODELS_PER_EVENT = 50
"""Maximum number of models per event: each may be used by thousands of resources."""

_EVER = "0"
_log = logging.getLogger(__name__)


def notified_until(last: SyncRecord | None) -> str:
    """The time up to which all changes have been announced."""
    return (last.notified_at or last.synced_at) if last else _EVER


def announce_changes(transitions: Iterable[Transition], since: str, now: str, bus: EventBus) -> str:
    """Announce the models that changed after `since`; returns the time up to which all are announced: `now` or `since`.

    A failure of the event bus does not fail the sync: the next sync announces the changes again. Repeated events have
    the same ids.
    """
    models = sorted({transition.model.openrouter_id for transition in transitions if _matters(transition, since)})
    batches = batched(models, MODELS_PER_EVENT, strict=False)
    try:
        bus.put_all(MODELS_CHANGED, ({"since": since, "models": batch} for batch in batches))
    except Exception:
        _log.exception("changes of models were not announced")
        return since
    return now


def _matters(transition: Transition, since: str) -> bool:
    """Added models are left out, as no resource can use them yet; a later change may hide an earlier one."""
    return transition.at > since and any(change.kind is not ChangeKind.ADDED for change in transition.changes)
