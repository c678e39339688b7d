"""Join a repeat without an idempotency key to the execution that it repeats.

Official clients of OpenAI's API repeat a request by themselves when the connection fails or the response is late, and
send no key. They count their attempts in a header, which distinguishes a repeat from a new request with the same
content. So each request with that header gets a key: a first attempt a new one, a repeat that of the latest request
with the same content. The rest is idempotency, with a listener: a request waits for an execution in progress.
"""

import logging
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from instant.domain.access.identity import Identity
from instant.domain.errors import InProgress, InstantError, LimitsUnavailable
from instant.domain.ids import new_id
from instant.ports.executions.retry_pointers import RetryPointer, RetryPointers
from instant.use_cases.executions.deps import ExecuteDeps, SecondsLeft
from instant.use_cases.executions.execute import execute
from instant.use_cases.executions.prepare import ExecuteRequest
from instant.use_cases.executions.streams.listener import Listener

MAX_AGE_SECONDS = 660
"""How long a repeat joins an earlier request: clients wait ten minutes for a response, and a moment more to repeat."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """An HTTP request by a client that counts its attempts.

    `content` is what repeats have in common. `received_at` is when the gateway received it, in milliseconds since 1970.
    """

    is_repeat: bool
    content: str = field(repr=False)
    received_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinDeps:
    """The dependencies of executing a request once, though its client sends it several times."""

    execute: ExecuteDeps
    pointers: RetryPointers


def execute_once(
    request: ExecuteRequest,
    attempt: Attempt | None,
    caller: Identity,
    seconds_left: SecondsLeft,
    deps: JoinDeps,
    listener: Listener,
) -> dict[str, Any]:
    """Execute the request, or wait for the execution that it repeats; a key that the client sends is used as it is."""
    if attempt is None or request.idempotency_key is not None:
        return execute(request, caller, seconds_left, deps.execute, listener)
    name = _name(attempt, caller)
    key = _key(name, attempt, deps)
    try:
        return execute(replace(request, idempotency_key=key), caller, seconds_left, deps.execute, listener)
    except InstantError as error:
        if _is_over(error):
            _forget(name, key, deps.pointers)
            error.is_replayed = False  # the next repeat is executed
        raise


def _is_over(error: InstantError) -> bool:
    """Whether the execution has ended and may be repeated; one that has not begun can still begin with its key."""
    is_recorded = error.execution_id is not None
    return is_recorded and error.retryable and not error.may_have_cost and not isinstance(error, InProgress)


def _name(attempt: Attempt, caller: Identity) -> str:
    """The name of the pointer: repeats come from the same API key, or from the same user with an access token."""
    return sha256(f"{caller.key_id or caller.user_id}\n{attempt.content}".encode()).hexdigest()


def _key(name: str, attempt: Attempt, deps: JoinDeps) -> str:
    """The idempotency key of the request; without a stored pointer, nothing may be sent."""
    made = RetryPointer(
        key=new_id("try", deps.execute.clock.now()), received_at=attempt.received_at, by_retry=attempt.is_repeat
    )
    try:
        if attempt.is_repeat:
            return deps.pointers.join(name, made, since=attempt.received_at - MAX_AGE_SECONDS * 1000).key
        return deps.pointers.begin(name, made).key
    except Exception as error:
        problem = "Whether this repeats an earlier request cannot be checked now. Nothing was sent. Retry."
        raise LimitsUnavailable(problem, retry_after=1) from error


def _forget(name: str, key: str, pointers: RetryPointers) -> None:
    """A call that cost nothing can be repeated; if this fails, repeats get the same error."""
    try:
        pointers.forget(name, key)
    except Exception:
        _log.exception("a failed call was not forgotten")
