"""After a sync has written its models: ask, by events, that those who use what changed be told."""

import logging
from collections.abc import Iterable
from itertools import batched

from instant.domain.catalog.change import ChangeKind
from instant.domain.catalog.model import SyncRecord
from instant.domain.catalog.sync_plan import Transition
from instant.ports.event_bus import EventBus

MODELS_CHANGED = "openrouter/models.changed"
"""The event that asks for those to be told who use some models."""

MODELS_PER_EVENT = 50
"""How many models one invocation looks after: each may have thousands of resources."""

_EVER = "0"
_log = logging.getLogger(__name__)


def notified_until(last: SyncRecord | None) -> str:
    """Up to when everybody has been told of what changed."""
    return (last.notified_at or last.synced_at) if last else _EVER


def announce_changes(transitions: Iterable[Transition], since: str, now: str, bus: EventBus) -> str:
    """Announce each of the models that changed after `since`; up to when all have been announced: `now`, or `since`.

    A bus that fails does not fail the sync: the next one announces all of it, and what was announced twice is told
    twice under the same names.
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
    """Nobody can use a model that was not there before; of others, an earlier change may be hidden by a later one."""
    return transition.at > since and any(change.kind is not ChangeKind.ADDED for change in transition.changes)
