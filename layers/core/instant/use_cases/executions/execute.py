"""Execute a resource once: START HERE.

Replay the answer of an earlier request with the same idempotency key. Else prepare the execution, which refuses
whatever can be refused at no cost, and perform it inside a recording, which writes the ledger before the first request
that spends and after the answer.
"""

from typing import Any

from instant.domain.access.identity import Identity, Scope
from instant.domain.executions.failure import Failure
from instant.use_cases.executions.deps import ExecuteDeps, SecondsLeft
from instant.use_cases.executions.perform import perform
from instant.use_cases.executions.prepare import ExecuteRequest, prepare
from instant.use_cases.executions.record import AlreadyRecorded, record
from instant.use_cases.executions.replay import replay, replay_response


def execute(request: ExecuteRequest, caller: Identity, seconds_left: SecondsLeft, deps: ExecuteDeps) -> dict[str, Any]:
    """The response body; an `InstantError` for everything else, recorded as what it was."""
    caller.require(Scope.EXECUTE)
    idempotent = request.idempotent(caller.user_id)
    if idempotent and (response := replay(idempotent, deps.ledger)):
        return response
    prepared = prepare(request, caller, deps)
    try:
        with record(prepared, seconds_left, deps.ledger) as recording:
            answer = perform(prepared, recording, seconds_left, deps)
            return recording.finish(answer)
    except AlreadyRecorded as earlier:
        return replay_response(earlier.execution, prepared.fingerprint, deps.ledger)
    except Failure as failure:
        raise failure.error from None
