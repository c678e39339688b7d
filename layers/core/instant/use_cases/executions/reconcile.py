"""Reconcile executions that were not closed: roll back unsent ones, look up the outcome of others, expire the rest.

Every step is a conditional write to the ledger, so repeated or concurrent runs have the effect of one.
"""

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from instant.domain.access.integration import Integration
from instant.domain.clock import LEASE_SLACK, format_time, parse_time
from instant.domain.errors import Cancelled, OutcomeUnknown
from instant.domain.executions.counted import counts
from instant.domain.executions.execution import Closing, KeySource, OpenRun, State
from instant.domain.executions.outcome import CallOutcome
from instant.domain.executions.receipt import Receipt, is_plausible
from instant.domain.secret import Secret
from instant.integrations import INTEGRATIONS
from instant.integrations.service import Accountable
from instant.ports.access.integrations import IntegrationReader
from instant.ports.access.secret_box import KeyOpener
from instant.ports.clock import Clock
from instant.ports.executions.ledger import Ledger, OpenRuns
from instant.ports.upstream import Upstream, ask
from instant.use_cases.executions.credential import ciphertext_hash

GIVE_UP_AFTER = timedelta(hours=24)
"""How long after a call its outcome is looked up; afterwards the execution is LOST."""

MIN_DELAY, MAX_DELAY = timedelta(seconds=30), timedelta(hours=1)
"""The bounds of the delay between lookups, which is half of the time since the call."""

LOOKUP_SECONDS = 5.0
"""The deadline of one lookup, in seconds."""

MIN_TIME = 20.0
"""Minimum remaining time to reconcile another execution, in seconds."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileDeps:
    """The dependencies of reconciling executions."""

    open_runs: OpenRuns
    ledger: Ledger
    integrations: IntegrationReader
    keys: KeyOpener
    upstream: Upstream
    clock: Clock


def reconcile_executions(deps: ReconcileDeps, seconds_left: Callable[[], float]) -> Counter[str]:
    """Return the number of executions per state: `none` for those rolled back, `open` for those still unknown.

    An execution whose reconciliation fails is rescheduled and counted as `failed`.
    """
    counts: Counter[str] = Counter()
    for run in deps.open_runs.due(format_time(deps.clock.now())):
        if seconds_left() < MIN_TIME:
            counts["rescheduled"] += 1
            break
        counts[_reconciled(run, deps)] += 1
    return counts


def _reconciled(run: OpenRun, deps: ReconcileDeps) -> str:
    try:
        return _reconcile(run, deps)
    except Exception:
        _log.exception("an execution was not reconciled", extra={"execution_id": run.opening.execution_id})
        _reschedule(run, deps)
        return "failed"


def _reconcile(run: OpenRun, deps: ReconcileDeps) -> str:
    now = deps.clock.now()
    limit = format_time(now - timedelta(seconds=LEASE_SLACK))
    if run.state is State.RESERVED:
        return "none" if deps.ledger.reclaim(run.opening.execution_id, limit) else "open"
    if run.state is State.SENT:
        is_alive = run.opening.lease_expires_at >= limit  # its lease was renewed while it was rescheduled
        if is_alive or not _expire(run, now, deps):
            return "open"
        run = replace(run, state=State.UNKNOWN, error_code=OutcomeUnknown.code)
    if run.generation_id is None or now - parse_time(run.opening.created_at) >= GIVE_UP_AFTER:
        return _lose(run, now, deps)
    outcome = _outcome(run, deps)
    if outcome is None:
        _reschedule(run, deps)
        return "open"
    cost = outcome.receipt.cost_nanousd
    if cost != run.claimed_nanousd and not is_plausible(cost, run.opening.reserved_nanousd):
        return _doubt(run, outcome.receipt, now, deps)
    was_answered = outcome.was_answered and run.error_code != Cancelled.code
    return _close(run, State.DONE if was_answered else State.FAILED, outcome.receipt, now, deps)


def _lose(run: OpenRun, now: datetime, deps: ReconcileDeps) -> str:
    """Close the execution as LOST.

    If the caller took the key away, so that the service could not be asked, this is no failure of the resource, and
    budgets that others share count the call no longer.
    """
    _log.warning("the outcome of an execution is lost", extra={"execution_id": run.opening.execution_id})
    receipt = Receipt(generation_id=run.generation_id)
    return _close(run, State.LOST, receipt, now, deps, was_prevented=bool(run.generation_id) and _is_gone(run, deps))


def _is_gone(run: OpenRun, deps: ReconcileDeps) -> bool:
    """Whether the caller disabled, replaced or removed the key of the call, here or at the service."""
    integration, used = _integration(run, deps), run.opening.ciphertext_sha256
    is_usable = integration is not None and integration.is_usable
    is_replaced = integration is not None and used is not None and ciphertext_hash(integration) != used
    return run.opening.key_source is KeySource.CALLER and (not is_usable or is_replaced)


def _doubt(run: OpenRun, receipt: Receipt, now: datetime, deps: ReconcileDeps) -> str:
    """Keep an implausible cost as a claim; it is recorded when the next lookup repeats it."""
    cost = receipt.cost_nanousd
    _log.error("a reported cost is implausible", extra={"execution_id": run.opening.execution_id, "nanousd": cost})
    closing = Closing(
        state=State.UNKNOWN,
        receipt=Receipt(generation_id=run.generation_id),
        finished_at=run.finished_at or format_time(now),
        error_code=None if run.was_delivered else run.error_code,
        claimed_nanousd=cost,
    )
    deps.ledger.mark_unknown(run.opening, closing, _next_lookup(run, now))
    return "open"


def _expire(run: OpenRun, now: datetime, deps: ReconcileDeps) -> bool:
    """Mark the execution UNKNOWN, as its run ended without a result; False if it ended or renewed its lease by now."""
    closing = Closing(
        state=State.UNKNOWN,
        receipt=Receipt(generation_id=run.generation_id),
        finished_at=format_time(now),
        error_code=OutcomeUnknown.code,
    )
    return deps.ledger.expire(run.opening, closing, format_time(now))


def _outcome(run: OpenRun, deps: ReconcileDeps) -> CallOutcome | None:
    """Look up the outcome at the service; None if it is not available yet, or if no usable key is stored."""
    service = INTEGRATIONS.get(run.opening.service or "")
    integration = _integration(run, deps)
    if not isinstance(service, Accountable) or integration is None or not _may_ask(integration, deps.clock.now()):
        return None
    request = replace(service.outcome_request(run.generation_id or ""), bearer=_key(integration, deps))
    return service.read_outcome(ask(deps.upstream, request, seconds=LOOKUP_SECONDS))


def _integration(run: OpenRun, deps: ReconcileDeps) -> Integration | None:
    """The integration with the key of the call, or with one that replaced it."""
    name, owner = run.opening.service, run.opening.credential_owner_id
    return deps.integrations.get(owner, name) if owner and name else None


def _may_ask(integration: Integration, now: datetime) -> bool:
    """A lookup is free, so that a rejected key can be used for it whenever it could be checked again."""
    return integration.is_usable or (integration.is_enabled and integration.is_due(now))


def _key(integration: Integration, deps: ReconcileDeps) -> Secret:
    return deps.keys.open(integration.ciphertext, user_id=integration.user_id, service=integration.service)


def _close(
    run: OpenRun,
    state: State,
    receipt: Receipt,
    now: datetime,
    deps: ReconcileDeps,
    *,
    was_prevented: bool = False,
) -> str:
    """Close the execution; `was_prevented` says that its caller prevented the lookup of its outcome."""
    error_code = None if run.was_delivered else run.error_code or OutcomeUnknown.code
    closing = Closing(
        state=state,
        receipt=receipt.after(run.receipt),
        finished_at=format_time(now),
        error_code=error_code,
        counts=counts(error_code) and not was_prevented,
        frees_shared=was_prevented,
        reconciled=True,
    )
    return state.lower() if deps.ledger.close(run.opening, closing) else "open"


def _reschedule(run: OpenRun, deps: ReconcileDeps) -> None:
    """Schedule the next lookup; if that write fails, the next run looks the outcome up immediately."""
    try:
        deps.ledger.reschedule(run.opening, _next_lookup(run, deps.clock.now()))
    except Exception:
        _log.exception("an execution was not rescheduled", extra={"execution_id": run.opening.execution_id})


def _next_lookup(run: OpenRun, now: datetime) -> str:
    delay = min(max((now - parse_time(run.opening.created_at)) / 2, MIN_DELAY), MAX_DELAY)
    return format_time(now + delay)
