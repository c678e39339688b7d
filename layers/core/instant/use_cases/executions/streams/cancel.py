"""Cancel a streamed execution: its run sees the request within seconds, and closes the connection to the service."""

from dataclasses import dataclass

from instant.domain.access.identity import Identity
from instant.domain.clock import format_time
from instant.domain.errors import Cancelled, NotCancellable, NotFound
from instant.domain.executions.execution import Execution
from instant.ports.clock import Clock
from instant.ports.executions.cancellations import Cancellations
from instant.ports.executions.history import ExecutionReader


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelDeps:
    """The dependencies of cancelling an execution."""

    executions: ExecutionReader
    cancellations: Cancellations
    clock: Clock


def cancel_execution(execution_id: str, caller: Identity, deps: CancelDeps) -> Execution:
    """Ask the execution to stop, if the caller may read it; return it as it is now. A repeat changes nothing.

    Raises `NotCancellable` for one that has ended in another way, or is not streamed: nothing reads the request then.
    """
    found = _found(execution_id, caller, deps)
    if not found.streamed:
        raise NotCancellable("Only streamed executions can be cancelled. This one ends by itself.").during(execution_id)
    is_asked = deps.cancellations.request(execution_id, found.user_id, format_time(deps.clock.now()))
    found = _found(execution_id, caller, deps)
    if not is_asked and found.error_code != Cancelled.code:
        raise NotCancellable("The execution has ended. Read its result.").during(execution_id)
    return found


def cancelled(execution_id: str) -> Cancelled:
    """The error of an execution that was cancelled, the same for every repeat of its request."""
    return Cancelled(
        "The execution was cancelled. What it cost is recorded as soon as the service reports it. "
        "A new call needs a new idempotency key."
    ).during(execution_id)


def _found(execution_id: str, caller: Identity, deps: CancelDeps) -> Execution:
    execution = deps.executions.get(execution_id)
    if execution is None or not execution.visible_to(caller):
        raise NotFound.of("execution")
    return execution
