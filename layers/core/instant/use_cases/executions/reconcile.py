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
from instant.domain.errors import OutcomeUnknown
from instant.domain.executions.execution import Closing, OpenRun, State
from instant.domain.executions.outcome import CallOutcome
from instant.domain.executions.receipt import Receipt
from instant.domain.secret import Secret
from instant.integrations import INTEGRATIONS
from instant.integrations.service import Accountable
from instant.ports.access.integrations import IntegrationReader
from instant.ports.access.secret_box import KeyOpener
from instant.ports.clock import Clock
from instant.ports.executions.ledger import Ledger, OpenRuns
from instant.ports.upstream import Upstream, ask

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
    if run.state is State.RESERVED:
        limit = format_time(now - timedelta(seconds=LEASE_SLACK))
        return "none" if deps.ledger.reclaim(run.opening.execution_id, limit) else "open"
    if run.state is State.SENT:
        run = _mark_unknown(run, now, deps)
    if run.generation_id is None or now - parse_time(run.opening.created_at) >= GIVE_UP_AFTER:
        _log.warning("the outcome of an execution is lost", extra={"execution_id": run.opening.execution_id})
        return _close(run, State.LOST, Receipt(generation_id=run.generation_id), now, deps)
    outcome = _outcome(run, deps)
    if outcome is None:
        _reschedule(run, deps)
        return "open"
    return _close(run, State.DONE if outcome.was_answered else State.FAILED, outcome.receipt, now, deps)


def _mark_unknown(run: OpenRun, now: datetime, deps: ReconcileDeps) -> OpenRun:
    """Mark the execution UNKNOWN: the process that sent the call ended without recording the result."""
    closing = Closing(
        state=State.UNKNOWN,
        receipt=Receipt(generation_id=run.generation_id),
        finished_at=format_time(now),
        error_code=OutcomeUnknown.code,
    )
    deps.ledger.mark_unknown(run.opening, closing, format_time(now))
    return replace(run, state=State.UNKNOWN, error_code=OutcomeUnknown.code)


def _outcome(run: OpenRun, deps: ReconcileDeps) -> CallOutcome | None:
    """Look up the outcome at the service; None if it is not available yet, or if no usable key is stored."""
    name, owner = run.opening.service, run.opening.credential_owner_id
    service = INTEGRATIONS.get(name or "")
    if not isinstance(service, Accountable) or name is None or owner is None:
        return None
    integration = deps.integrations.get(owner, name)
    if integration is None or not integration.is_usable:
        return None
    request = replace(service.outcome_request(run.generation_id or ""), bearer=_key(integration, deps))
    return service.read_outcome(ask(deps.upstream, request, seconds=LOOKUP_SECONDS))


def _key(integration: Integration, deps: ReconcileDeps) -> Secret:
    return deps.keys.open(integration.ciphertext, user_id=integration.user_id, service=integration.service)


def _close(run: OpenRun, state: State, receipt: Receipt, now: datetime, deps: ReconcileDeps) -> str:
    closing = Closing(
        state=state,
        receipt=receipt,
        finished_at=format_time(now),
        error_code=None if run.was_delivered else run.error_code or OutcomeUnknown.code,
        reconciled=True,
    )
    return state.lower() if deps.ledger.close(run.opening, closing) else "open"


def _reschedule(run: OpenRun, deps: ReconcileDeps) -> None:
    """Schedule the next lookup; if that write fails, the next run looks the outcome up immediately."""
    now = deps.clock.now()
    delay = min(max((now - parse_time(run.opening.created_at)) / 2, MIN_DELAY), MAX_DELAY)
    try:
        deps.ledger.reschedule(run.opening, format_time(now + delay))
    except Exception:
        _log.exception("an execution was not rescheduled", extra={"execution_id": run.opening.execution_id})
