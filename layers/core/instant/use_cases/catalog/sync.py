"""Sync the model catalog: fetch and validate all of it, write only what changed, one run at a time."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from instant.domain.catalog.change import ChangeKind
from instant.domain.catalog.model import CatalogModel, SyncRecord
from instant.domain.catalog.sync_plan import Fetched, Quarantine, Rules, SyncPlan, Transition, plan_sync
from instant.domain.clock import format_time, parse_time
from instant.domain.ids import new_id
from instant.ports.catalog.store import CatalogWriter
from instant.ports.catalog.sync_lease import SyncLease
from instant.ports.clock import Clock
from instant.ports.event_bus import EventBus
from instant.ports.upstream import Upstream
from instant.use_cases.catalog.announce import announce_changes, notified_until
from instant.use_cases.catalog.fetch import SyncRefused, fetch_catalog

SHARE_TO_WRITE = 0.5
"""The fraction of the invocation's time that is reserved for reading and writing the tables."""

MAX_TRUST = timedelta(hours=20)
"""After this time the list is read in full even if the service reports it as unchanged."""

_CLOCKS_APART = timedelta(seconds=5)
_log = logging.getLogger(__name__)


class SyncOutcome(StrEnum):
    """The result of a sync."""

    SYNCED = "synced"
    UNCHANGED = "unchanged"
    BUSY = "busy"


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncResult:
    """The counts of a sync, in models; `busy` means that another run holds the lease and nothing was done."""

    outcome: SyncOutcome = SyncOutcome.SYNCED
    seen: int = 0
    written: int = 0
    added: int = 0
    missing: int = 0
    removed: int = 0
    returned: int = 0
    repriced: int = 0
    held: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncDeps:
    """The dependencies of a sync."""

    upstream: Upstream
    catalog: CatalogWriter
    lease: SyncLease
    bus: EventBus
    clock: Clock


def sync_catalog(deps: SyncDeps, rules: Rules, seconds_left: Callable[[], float]) -> SyncResult:
    """Write what changed and record the run; raises `SyncRefused` and changes no model if validation fails.

    A run that is interrupted leaves each model either unchanged or fully updated; the next run completes the history
    and writes the rest. A run that starts during another run returns `busy`.
    """
    now = deps.clock.now()
    holder = new_id("syn", now)
    taken = deps.lease.take(holder, now, now + timedelta(seconds=seconds_left()) + _CLOCKS_APART)
    if taken is None:
        _log.info("catalog sync: another run is in progress")
        return SyncResult(outcome=SyncOutcome.BUSY)
    to_write = seconds_left() * SHARE_TO_WRITE
    try:
        result, record = _run(deps, rules, now, taken.last, lambda: seconds_left() - to_write)
    except Exception:
        deps.lease.drop(holder)
        raise
    deps.lease.finish(holder, record)
    _log.info("catalog synced", extra={"outcome": result.outcome, "seen": result.seen, "written": result.written})
    return result


def _run(
    deps: SyncDeps, rules: Rules, now: datetime, last: SyncRecord | None, seconds_left: Callable[[], float]
) -> tuple[SyncResult, SyncRecord]:
    fetched = fetch_catalog(deps.upstream, validator=_validator(last, rules, now), seconds_left=seconds_left)
    if last is not None and fetched is None:
        result = SyncResult(outcome=SyncOutcome.UNCHANGED, seen=last.seen)
        return result, replace(last, synced_at=format_time(now), written=0)
    assert fetched is not None  # without a validator, a catalog is always returned
    known = _known(deps.catalog, last)
    plan = _believed(fetched, {stored.model.openrouter_id: stored.model for stored in known}, now, rules)
    deps.catalog.write(plan.transitions)
    result = _result(fetched, plan)
    record = SyncRecord(
        synced_at=format_time(now),
        read_at=format_time(now),
        seen=result.seen,
        written=result.written,
        waiting=plan.waiting,
        notified_at=announce_changes([*known, *plan.transitions], notified_until(last), format_time(now), deps.bus),
        validator=fetched.validator,
    )
    return result, record


def _validator(last: SyncRecord | None, rules: Rules, now: datetime) -> str | None:
    """The validator of the last list, if an unchanged list would cause no writes."""
    if (
        last is None
        or last.waiting
        or notified_until(last) < last.read_at
        or rules.accept_losses
        or rules.accept_prices
    ):
        return None
    return last.validator if last.read_at and now - parse_time(last.read_at) < MAX_TRUST else None


def _known(catalog: CatalogWriter, last: SyncRecord | None) -> Sequence[Transition]:
    """The stored models, after adding missing history: an interrupted run may not have written it."""
    known = catalog.known()
    since = last.synced_at if last else ""
    catalog.note(transition for transition in known if transition.at > since)
    return known


def _believed(fetched: Fetched, known: Mapping[str, CatalogModel], now: datetime, rules: Rules) -> SyncPlan:
    plan = plan_sync(known, fetched, now, rules)
    if isinstance(plan, Quarantine):
        raise SyncRefused(f"{plan.lost} of {plan.listed} active models would be lost; an admin can pass accept_losses")
    for transition in plan.transitions:
        if any(change.kind is ChangeKind.PRICE_HELD for change in transition.changes):
            _log.error("catalog price held: %s", transition.model.openrouter_id)
    return plan


def _result(fetched: Fetched, plan: SyncPlan) -> SyncResult:
    return SyncResult(
        seen=len(fetched.models),
        written=len(plan.transitions),
        added=plan.count(ChangeKind.ADDED),
        missing=plan.count(ChangeKind.MISSING),
        removed=plan.count(ChangeKind.REMOVED),
        returned=plan.count(ChangeKind.RETURNED),
        repriced=plan.count(ChangeKind.REPRICED),
        held=plan.count(ChangeKind.PRICE_HELD),
    )
