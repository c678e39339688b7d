"""Replay the response of an earlier request with the same idempotency key, or raise why that is not possible."""

from datetime import timedelta
from math import ceil
from typing import Any

from instant.domain.clock import LEASE_SLACK, format_time, parse_time
from instant.domain.error_bodies.stored import stored_error
from instant.domain.errors import Cancelled, IdempotencyMismatch, InProgress, InstantError, OutcomeUnknown
from instant.domain.executions.delivery import stored_response
from instant.domain.executions.execution import Execution, State
from instant.domain.executions.idempotency import IdempotentRequest
from instant.ports.clock import Clock
from instant.use_cases.executions.deps import LedgerDeps
from instant.use_cases.executions.streams.cancel import cancelled

MAX_RETRY_AFTER = 10
"""Maximum `Retry-After`, in seconds, for a call in progress; few calls take longer."""


def replay(request: IdempotentRequest, deps: LedgerDeps) -> dict[str, Any] | None:
    """The response of the first request, or its error raised again; None if the request may be executed."""
    found = first_execution(request, deps)
    return replay_response(found, request.fingerprint, deps) if found else None


def first_execution(request: IdempotentRequest, deps: LedgerDeps) -> Execution | None:
    """The execution with the idempotency key of the request; None if the request may be executed."""
    found = deps.executions.get(request.execution_id)
    if found and found.state is State.RESERVED and _is_over(found, deps.clock):
        deps.ledger.reclaim(found.execution_id, _over_before(deps.clock))
        return deps.executions.get(request.execution_id)
    return found


def replay_response(found: Execution, fingerprint: str | None, deps: LedgerDeps) -> dict[str, Any]:
    """The stored response of an executed request, byte for byte."""
    require_same(found, fingerprint)
    if found.error_code == Cancelled.code:
        raise _replayed(cancelled(found.execution_id), found)
    text = _stored(found, deps)
    if found.state is State.RESERVED or (found.state is State.SENT and not text and not _is_over(found, deps.clock)):
        raise _in_progress(found, deps.clock)
    if text is None:
        raise _unknown(found)
    body = stored_response(text)
    if "error" in body:
        raise _replayed(stored_error(body["error"]), found)
    return body


def require_same(found: Execution, fingerprint: str | None) -> None:
    """Raise `IdempotencyMismatch` if the execution is that of another request."""
    if found.fingerprint != fingerprint:
        raise IdempotencyMismatch(
            "This idempotency key was used for another request. Repeat the same request, or use a new key."
        )


def _stored(found: Execution, deps: LedgerDeps) -> str | None:
    """The stored response, if it is final."""
    is_final = found.state in {State.DONE, State.FAILED} and not found.reconciled_at
    return deps.answers.read(found.answer) if is_final or found.was_delivered else None


def _is_over(found: Execution, clock: Clock) -> bool:
    """Whether the lease of the first call has expired."""
    return found.lease_expires_at is None or found.lease_expires_at < _over_before(clock)


def _over_before(clock: Clock) -> str:
    return format_time(clock.now() - timedelta(seconds=LEASE_SLACK))


def _in_progress(found: Execution, clock: Clock) -> InProgress:
    left = (parse_time(found.lease_expires_at or found.created_at) - clock.now()).total_seconds()
    return InProgress(
        "The execution is in progress. Wait, then send the same request again, with its idempotency key if it has one.",
        retry_after=max(1, min(MAX_RETRY_AFTER, ceil(left))),
    ).during(found.execution_id)


def _unknown(found: Execution) -> OutcomeUnknown:
    error = OutcomeUnknown(
        "The call was sent, but its answer is not available. It may have been executed and charged; it is not sent "
        "again. Check GET /api/executions for its state; a new idempotency key makes a new call."
    ).during(found.execution_id)
    error.may_have_cost = error.is_replayed = True
    return error


def _replayed(failure: InstantError, found: Execution) -> InstantError:
    """The failure of the first request; only a cost that is known to be 0 is none."""
    failure.may_have_cost, failure.is_replayed = found.receipt.cost_nanousd != 0, True
    return failure
