"""Continue an execution that has begun before: wait until it has ended, then report its answer."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from instant.domain.access.identity import Identity
from instant.domain.errors import InProgress, NotFound
from instant.domain.executions.delivery import (
    streamed_media_types,
    streamed_text,
    streamed_tool_calls,
    text_was_replaced,
)
from instant.domain.executions.execution import Execution
from instant.domain.executions.idempotency import IdempotentRequest
from instant.domain.executions.output import Delta, ToolCallPiece
from instant.ports.clock import Clock
from instant.use_cases.executions.deps import LedgerDeps, SecondsLeft
from instant.use_cases.executions.replay import first_execution, replay_response, require_same
from instant.use_cases.executions.streams.listener import Listener

POLL_SECONDS = 1.0
"""Seconds between two looks at an execution in progress."""

MIN_SECONDS = 10.0
"""Seconds of the invocation for reading and sending the answer: with less left, the execution is still in progress."""


type Read = Callable[[], Execution | None]
type Respond = Callable[[Execution], dict[str, Any]]
"""The stored response of an execution; raises its error, or `InProgress`."""


def resume(
    execution_id: str, after: int, caller: Identity, listener: Listener, seconds_left: SecondsLeft, deps: LedgerDeps
) -> dict[str, Any]:
    """Return the stored response of an execution that the caller may read, as soon as it has ended, or raise its error.

    Of its text, what follows the first `after` code points is reported. If it has fewer, or its stream showed another
    text first, the whole text replaces them.
    """

    def read() -> Execution | None:
        found = deps.executions.get(execution_id)
        return found if found and found.visible_to(caller) else None

    def respond(found: Execution) -> dict[str, Any]:
        return replay_response(found, found.fingerprint, deps)

    stored = _awaited(read, respond, listener, seconds_left, deps.clock)
    if stored is None:
        raise NotFound.of("execution")
    _report(stored, after, listener)
    return stored


def join(
    request: IdempotentRequest, listener: Listener, seconds_left: SecondsLeft, deps: LedgerDeps
) -> dict[str, Any] | None:
    """As `replay`, but wait for a first request that is in progress, and report its answer."""

    def read() -> Execution | None:
        if found := first_execution(request, deps):
            require_same(found, request.fingerprint)
        return found

    def respond(found: Execution) -> dict[str, Any]:
        return replay_response(found, request.fingerprint, deps)

    stored = _awaited(read, respond, listener, seconds_left, deps.clock)
    if stored:
        _report(stored, 0, listener)
    return stored


def _awaited(
    read: Read, respond: Respond, listener: Listener, seconds_left: SecondsLeft, clock: Clock
) -> dict[str, Any] | None:
    """The stored response, as soon as the execution has ended; None if there is no execution, or no longer."""
    has_joined = False
    while found := read():
        if not has_joined:
            listener.joined(found)
            has_joined = True
        try:
            return respond(found)
        except InProgress:
            if seconds_left() < MIN_SECONDS:
                raise
        listener.idle()
        clock.sleep(POLL_SECONDS)
    return None


def _report(stored: Mapping[str, Any], after: int, listener: Listener) -> None:
    """Report in the order of the first stream: images before what follows them in the text."""
    listener.started()
    for path, media_type in zip(stored["output"].get("urls", ()), streamed_media_types(stored), strict=True):
        listener.image(path, media_type)
    for delta in _deltas(stored, after):
        listener.delta(delta)


def _deltas(stored: Mapping[str, Any], after: int) -> Iterator[Delta]:
    """The rest of the text; the reasoning and each tool call as a whole, since their pieces have no position."""
    text = streamed_text(stored)
    if after > len(text) or (after and text_was_replaced(stored)):
        yield Delta(text=text, replace=True)
    elif rest := text[after:]:
        yield Delta(text=rest)
    if reasoning := stored["output"].get("reasoning"):
        yield Delta(reasoning=reasoning, replace=True)
    for index, call in enumerate(streamed_tool_calls(stored)):
        yield Delta(tool_call=ToolCallPiece(index=index, **call), replace=True)
