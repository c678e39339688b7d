"""Join a repeat without an idempotency key to the execution that it repeats.

Official clients of OpenAI's API repeat a request by themselves when the connection fails or the response is late, and
send no key. They count their attempts in a header, by which a repeat can be told from a new request with the same
content. So each request with that header gets a key: a first attempt a new one, a repeat that of the latest request
with the same content. The rest is idempotency.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
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

MAX_AGE_SECONDS = 600
"""How long a repeat joins an earlier request; clients wait at most ten minutes for a response."""

SECONDS_BETWEEN_LOOKS = 1.0
"""Seconds between two looks at an execution that is in progress."""

MIN_SECONDS_LEFT = 5.0
"""Seconds of the invocation that are left when waiting ends."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """An HTTP request by a client that counts its attempts; `number` is 0 for the first of a call.

    `content` is what repeats have in common. `received_at` is when the gateway received it, in milliseconds since 1970.
    """

    number: int
    content: str
    received_at: int


def execute_once(
    request: ExecuteRequest,
    attempt: Attempt | None,
    caller: Identity,
    seconds_left: SecondsLeft,
    deps: ExecuteDeps,
    pointers: RetryPointers,
    listener: Listener,
) -> dict[str, Any]:
    """Execute the request, or wait for the execution that it repeats; a key that the client sends is used as it is."""
    if attempt is None or request.idempotency_key is not None:
        return execute(request, caller, seconds_left, deps, listener)
    name = _name(attempt, caller)
    key = _key(name, attempt, deps, pointers)
    identified = replace(request, idempotency_key=key)
    try:
        return _waited(lambda: execute(identified, caller, seconds_left, deps, listener), seconds_left, deps, listener)
    except InstantError as error:
        if error.retryable and not error.may_have_cost and not isinstance(error, InProgress):
            _forget(name, key, pointers)
            error.is_replayed = False  # the next repeat is executed
        raise


def _name(attempt: Attempt, caller: Identity) -> str:
    """The name of the pointer: repeats come from the same API key, or from the same user with an access token."""
    return sha256(f"{caller.key_id or caller.user_id}\n{attempt.content}".encode()).hexdigest()


def _key(name: str, attempt: Attempt, deps: ExecuteDeps, pointers: RetryPointers) -> str:
    """The idempotency key of the request; without a stored pointer, nothing may be sent."""
    made = RetryPointer(
        key=new_id("try", deps.clock.now()), received_at=attempt.received_at, by_retry=attempt.number > 0
    )
    try:
        if made.by_retry:
            return pointers.join(name, made, since=attempt.received_at - MAX_AGE_SECONDS * 1000).key
        return pointers.begin(name, made).key
    except Exception as error:
        problem = "Whether this repeats an earlier request cannot be checked now. Nothing was sent. Retry."
        raise LimitsUnavailable(problem, retry_after=1) from error


def _waited(
    run: Callable[[], dict[str, Any]], seconds_left: SecondsLeft, deps: ExecuteDeps, listener: Listener
) -> dict[str, Any]:
    """The response; while the execution is in progress elsewhere, look again until the time is up."""
    while True:
        try:
            return run()
        except InProgress:
            if seconds_left() < MIN_SECONDS_LEFT:
                raise
        listener.idle()
        deps.clock.sleep(SECONDS_BETWEEN_LOOKS)


def _forget(name: str, key: str, pointers: RetryPointers) -> None:
    """A call that cost nothing can be repeated; if this fails, repeats get the same error."""
    try:
        pointers.forget(name, key)
    except Exception:
        _log.exception("a failed call was not forgotten")
