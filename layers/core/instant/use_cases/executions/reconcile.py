"""Look after executions that nobody closed: take back what was not sent, ask what became of the rest, give up in time.

Everything is a conditional step of the ledger, so that doing it twice, or twice at once, is doing it once.
"""

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from instant.domain.clock import moment, stamp
from instant.domain.errors import OutcomeUnknown
from instant.domain.execution import LEASE_SLACK, Closing, OpenRun, State
from instant.domain.integration import Integration
from instant.domain.outcome import Outcome
from instant.domain.receipt import Receipt
from instant.domain.secret import Secret
from instant.integrations import INTEGRATIONS
from instant.integrations.service import Accountable
from instant.ports import Clock, IntegrationReader, KeyOpener
from instant.ports.books import Ledger, OpenRuns
from instant.ports.upstream import Upstream, ask

GIVE_UP_AFTER = timedelta(hours=24)
"""How long a service is asked what became of a call."""

SHORTEST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=1)
"""How soon a service is asked again: when half as much time again has passed since the call, within these."""

SECONDS_TO_ASK = 5.0
"""How long a service may take to tell what became of a call."""

LEAST_TIME = 20.0
"""Seconds that must be left to look after one execution more."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileDeps:
    """What reconciling executions needs from outside."""

    open_runs: OpenRuns
    ledger: Ledger
    integrations: IntegrationReader
    keys: KeyOpener
    upstream: Upstream
    clock: Clock


def reconcile_executions(deps: ReconcileDeps, seconds_left: Callable[[], float]) -> Counter[str]:
    """How many executions came to which state: `none` for those taken back, `open` for those still not known.

    One that fails is put off like one that is not known, and counted as `failed_to_look`.
    """
    counts: Counter[str] = Counter()
    for run in deps.open_runs.due(stamp(deps.clock.now())):
        if seconds_left() < LEAST_TIME:
            counts["put_off"] += 1
            break
        counts[_looked_after(run, deps)] += 1
    return counts


def _looked_after(run: OpenRun, deps: ReconcileDeps) -> str:
    try:
        return _look_after(run, deps)
    except Exception:
        _log.exception("an execution was not looked after", extra={"execution_id": run.opening.execution_id})
        _postpone(run, deps)
        return "failed_to_look"


def _look_after(run: OpenRun, deps: ReconcileDeps) -> str:
    now = deps.clock.now()
    if run.state is State.RESERVED:
        limit = stamp(now - timedelta(seconds=LEASE_SLACK))
        return "none" if deps.ledger.take_back(run.opening.execution_id, limit) else "open"
    if run.state is State.SENT:
        run = _no_longer_expected(run, now, deps)
    if run.generation_id is None or now - moment(run.opening.created_at) >= GIVE_UP_AFTER:
        _log.warning("an execution is lost", extra={"execution_id": run.opening.execution_id})
        return _close(run, State.LOST, Receipt(generation_id=run.generation_id), now, deps)
    outcome = _outcome(run, deps)
    if outcome is None:
        _postpone(run, deps)
        return "open"
    return _close(run, State.DONE if outcome.was_answered else State.FAILED, outcome.receipt, now, deps)


def _no_longer_expected(run: OpenRun, now: datetime, deps: ReconcileDeps) -> OpenRun:
    """The process that sent the call has ended without booking it."""
    closing = Closing(
        state=State.UNKNOWN,
        receipt=Receipt(generation_id=run.generation_id),
        finished_at=stamp(now),
        error_code=OutcomeUnknown.code,
    )
    deps.ledger.unknown(run.opening, closing, stamp(now))
    return replace(run, state=State.UNKNOWN, error_code=OutcomeUnknown.code)


def _outcome(run: OpenRun, deps: ReconcileDeps) -> Outcome | None:
    """What the service says; None while it does not, and while there is no key to ask it with."""
    name, owner = run.opening.service, run.opening.payer_id
    service = INTEGRATIONS.get(name or "")
    if not isinstance(service, Accountable) or name is None or owner is None:
        return None
    integration = deps.integrations.get(owner, name)
    if integration is None or not integration.is_usable:
        return None
    request = replace(service.outcome_request(run.generation_id or ""), bearer=_key(integration, deps))
    return service.read_outcome(ask(deps.upstream, request, seconds=SECONDS_TO_ASK))


def _key(integration: Integration, deps: ReconcileDeps) -> Secret:
    return deps.keys.open(integration.ciphertext, user_id=integration.user_id, service=integration.service)


def _close(run: OpenRun, state: State, receipt: Receipt, now: datetime, deps: ReconcileDeps) -> str:
    closing = Closing(
        state=state,
        receipt=receipt,
        finished_at=stamp(now),
        error_code=None if run.was_delivered else run.error_code or OutcomeUnknown.code,
        reconciled=True,
    )
    return state.lower() if deps.ledger.close(run.opening, closing) else "open"


def _postpone(run: OpenRun, deps: ReconcileDeps) -> None:
    """Ask again later; if that cannot be noted, it is asked again at once."""
    now = deps.clock.now()
    pause = min(max((now - moment(run.opening.created_at)) / 2, SHORTEST_PAUSE), LONGEST_PAUSE)
    try:
        deps.ledger.postpone(run.opening, stamp(now + pause))
    except Exception:
        _log.exception("an execution was not put off", extra={"execution_id": run.opening.execution_id})
