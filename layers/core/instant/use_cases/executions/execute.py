"""Execute a resource once: START HERE.

If an earlier request used the same idempotency key, replay its response. Otherwise prepare the execution, which
rejects invalid requests before anything is spent, and perform it inside a recording, which writes the ledger before
the first request that spends and after the answer.
"""

from typing import Any

from instant.domain.access.identity import Identity
from instant.domain.executions.failure import Failure
from instant.domain.executions.idempotency import IdempotentRequest
from instant.use_cases.executions.deps import ExecuteDeps, LedgerDeps, SecondsLeft
from instant.use_cases.executions.perform import perform
from instant.use_cases.executions.prepare import ExecuteRequest, prepare
from instant.use_cases.executions.record import AlreadyRecorded, record
from instant.use_cases.executions.replay import replay, replay_response
from instant.use_cases.executions.streams.guarded import GuardedListener
from instant.use_cases.executions.streams.listener import Listener
from instant.use_cases.executions.streams.resume import join


def execute(
    request: ExecuteRequest,
    caller: Identity,
    seconds_left: SecondsLeft,
    deps: ExecuteDeps,
    listener: Listener | None = None,
) -> dict[str, Any]:
    """Return the stored response; every failure is recorded and raised as an `InstantError`."""
    listener = listener and GuardedListener(listener)
    idempotent = request.idempotent(caller.idempotency_namespace)
    if idempotent and (response := _earlier_response(idempotent, seconds_left, deps.ledger, listener)):
        return response
    prepared = prepare(request, caller, deps, stream=listener is not None)
    if listener:
        listener.prepared(prepared)
    try:
        with record(prepared, seconds_left, deps.ledger, streamed=listener is not None) as recording:
            answer = perform(prepared, recording, seconds_left, deps, listener)
            return recording.finish(answer)
    except AlreadyRecorded as earlier:
        if idempotent and listener and (response := join(idempotent, listener, seconds_left, deps.ledger)):
            return response
        return replay_response(earlier.execution, prepared.fingerprint, deps.ledger)
    except Failure as failure:
        raise failure.error from None


def _earlier_response(
    request: IdempotentRequest, seconds_left: SecondsLeft, deps: LedgerDeps, listener: Listener | None
) -> dict[str, Any] | None:
    """The response of an earlier request with the same key; a stream waits for one that is in progress."""
    return join(request, listener, seconds_left, deps) if listener else replay(request, deps)
