"""Execute a resource once: START HERE.

If an earlier request used the same idempotency key, replay its response. Otherwise prepare the execution, which
rejects invalid requests before anything is spent, and perform it inside a recording, which writes the ledger before
the first request that spends and after the answer.
"""

from typing import Any

from instant.domain.access.identity import Identity
from instant.domain.executions.failure import Failure
from instant.use_cases.executions.deps import ExecuteDeps, SecondsLeft
from instant.use_cases.executions.perform import perform
from instant.use_cases.executions.prepare import ExecuteRequest, prepare
from instant.use_cases.executions.record import AlreadyRecorded, record
from instant.use_cases.executions.replay import replay, replay_response
from instant.use_cases.executions.streams.listener import Listener


def execute(
    request: ExecuteRequest,
    caller: Identity,
    seconds_left: SecondsLeft,
    deps: ExecuteDeps,
    listener: Listener | None = None,
) -> dict[str, Any]:
    """Return the stored response; every failure is recorded and raised as an `InstantError`."""
    idempotent = request.idempotent(caller.idempotency_namespace)
    if idempotent and (response := replay(idempotent, deps.ledger)):
        return response
    prepared = prepare(request, caller, deps)
    if listener:
        listener.prepared(prepared)
    try:
        with record(prepared, seconds_left, deps.ledger) as recording:
            answer = perform(prepared, recording, seconds_left, deps)
            return recording.finish(answer)
    except AlreadyRecorded as earlier:
        return replay_response(earlier.execution, prepared.fingerprint, deps.ledger)
    except Failure as failure:
        raise failure.error from None
