"""Sync the model catalog: fetch and validate all of it, write only what changed, one run at a time."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from instant.domain.catalog.change import ChangeKind
from instant.domain.catalog.model import CatalogModel, SyncRecord
from instant.domain.catalog.sync_plan import Fetched, Quarantine, Rules, SyncPlan, Transition, plan_sync
from instant.domain.catalog.sync_run import SYNC_EVENT, SyncOrder, SyncOutcome, SyncResult, few
from instant.domain.clock import format_time, parse_time
from instant.domain.ids import new_id
from instant.ports.catalog.snapshots import SnapshotWriter
from instant.ports.catalog.store import CatalogWriter
from instant.ports.catalog.sync_lease import QueuedOrder, SyncLease, SyncRuns, Taken
from instant.ports.clock import Clock
from instant.ports.event_bus import EventBus
from instant.ports.upstream import Upstream
from instant.use_cases.catalog.announce import announce_changes, notified_until
from instant.use_cases.catalog.fetch import SyncRefused, fetch_catalog
from instant.use_cases.catalog.record_run import RunRecorder

SHARE_TO_WRITE = 0.5
"""The fraction of the invocation's time that is reserved for reading and writing the tables."""

MAX_TRUST = timedelta(hours=20)
"""After this time the list is read in full even if the service reports it as unchanged."""

_MONTH = len("2026-11")
_CLOCKS_APART = timedelta(seconds=5)
_ATTEMPTS = 3
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncDeps:
    """The dependencies of a sync."""

    upstream: Upstream
    catalog: CatalogWriter
    snapshots: SnapshotWriter
    lease: SyncLease
    runs: SyncRuns
    bus: EventBus
    clock: Clock


def sync_catalog(
    deps: SyncDeps, rules: Rules, seconds_left: Callable[[], float], *, is_ordered: bool = False
) -> SyncResult:
    """Write what changed and record the run; raises `SyncRefused` and changes no model if validation fails.

    A run that is interrupted leaves each model either unchanged or fully updated; the next run completes the history
    and writes the rest. A run that starts during another run returns `busy`; if it is ordered, the other run requests
    it again when it ends, and it returns `queued`.
    """
    now = deps.clock.now()
    holder = new_id("syn", now)
    until = now + timedelta(seconds=seconds_left()) + _CLOCKS_APART
    taken = _taken(deps, holder, now, until, _order(rules) if is_ordered else None)
    if not isinstance(taken, Taken):
        _log.info("catalog sync: another run is in progress")
        return SyncResult(outcome=taken)
    if taken.queued:
        rules = _with_order(rules, taken.queued.order)
    to_write = seconds_left() * SHARE_TO_WRITE
    recorder = RunRecorder(deps.runs, deps.clock, holder, format_time(now), _order(rules))
    try:
        ran = _run(deps, rules, now, taken.last, lambda: seconds_left() - to_write)
    except Exception as error:
        waiting = deps.lease.drop(holder)
        recorder.failed(error)
        _follow_up(deps, taken.queued, waiting)
        raise
    waiting = deps.lease.finish(holder, ran.record)
    recorder.finished(ran.result, ran.fetched, ran.held)
    _follow_up(deps, taken.queued, waiting)
    facts = {name: getattr(ran.result, name) for name in ("outcome", "seen", "written")}
    _log.info("catalog synced", extra=facts)
    return ran.result


@dataclass(frozen=True, slots=True)
class _Ran:
    """What a run did; without `fetched` the list was unchanged."""

    result: SyncResult
    record: SyncRecord
    fetched: Fetched | None = None
    held: Sequence[str] = ()


def _taken(
    deps: SyncDeps, holder: str, now: datetime, until: datetime, order: SyncOrder | None
) -> Taken | Literal[SyncOutcome.BUSY, SyncOutcome.QUEUED]:
    """The lease; else whether the order was left for the next run. The other run can end between the two attempts."""
    for _ in range(_ATTEMPTS):
        if taken := deps.lease.take(holder, now, until):
            return taken
        if order is None:
            return SyncOutcome.BUSY
        if deps.lease.queue(holder, order, now):
            return SyncOutcome.QUEUED
    raise SyncRefused("the lease changed hands too often")


def _follow_up(deps: SyncDeps, done: QueuedOrder | None, waiting: QueuedOrder | None) -> None:
    """Request the run of an order that arrived during this one; an order stays queued until its event is sent."""
    if waiting is None:
        return
    if done is None or done.order_id != waiting.order_id:
        try:
            deps.bus.put(SYNC_EVENT, asdict(waiting.order))
        except Exception:
            _log.exception("an ordered sync was not requested; the next sync includes it")
            return
    deps.lease.unqueue(waiting.order_id)


def _order(rules: Rules) -> SyncOrder:
    return SyncOrder(accept_losses=rules.accept_losses, accept_prices=rules.accept_prices)


def _with_order(rules: Rules, order: SyncOrder) -> Rules:
    return replace(
        rules,
        accept_losses=rules.accept_losses or order.accept_losses,
        accept_prices=rules.accept_prices or order.accept_prices,
    )


def _run(
    deps: SyncDeps, rules: Rules, now: datetime, last: SyncRecord | None, seconds_left: Callable[[], float]
) -> _Ran:
    fetched = fetch_catalog(deps.upstream, validator=_validator(last, rules, now), seconds_left=seconds_left)
    if last is not None and fetched is None:
        result = SyncResult(outcome=SyncOutcome.UNCHANGED, seen=last.seen)
        return _Ran(result, replace(last, synced_at=format_time(now), written=0))
    assert fetched is not None  # without a validator, a catalog is always returned
    _log_problems(fetched)
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
        snapshot_at=_snapshot(deps, [*known, *plan.transitions], last.snapshot_at if last else "", format_time(now)),
        notified_at=announce_changes([*known, *plan.transitions], notified_until(last), format_time(now), deps.bus),
        validator=fetched.validator,
    )
    return _Ran(result, record, fetched, plan.models(ChangeKind.PRICE_HELD))


def _log_problems(fetched: Fetched) -> None:
    if fetched.skipped:
        _log.warning("catalog rows were skipped", extra={"rows": few(dict(fetched.skipped))})
    if fetched.left_out:
        _log.warning("catalog fields of an unknown shape were left out", extra={"fields": few(fetched.left_out)})


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
    for name in plan.models(ChangeKind.PRICE_HELD):
        _log.error("catalog price held: %s", name)
    return plan


def _snapshot(deps: SyncDeps, transitions: Iterable[Transition], last: str, now: str) -> str:
    """Store a snapshot in each month's first sync; returns the time of the last one."""
    if last[:_MONTH] == now[:_MONTH]:
        return last
    models = {transition.model.openrouter_id: transition.model for transition in transitions}
    deps.snapshots.put(now, models.values())
    return now


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
