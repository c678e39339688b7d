"""Calls on /v1: what a route reads of the HTTP request, the execution, and how its response is written."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Self

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

from instant.domain.access.identity import Identity
from instant.domain.executions.execution import Execution
from instant.domain.executions.output import Delta
from instant.domain.executions.prepared import Prepared
from instant.entrypoints.executions.event_stream import EventStream
from instant.entrypoints.http.body import JSON
from instant.entrypoints.http.caller import caller_of, idempotency_key
from instant.entrypoints.http.errors import to_instant_error
from instant.entrypoints.http.links import api_address
from instant.entrypoints.http.stream import Start, Stream
from instant.entrypoints.http.throttles import lease_renewal
from instant.entrypoints.openai.answer_stream import AnswerStream
from instant.entrypoints.openai.completion import Stored
from instant.entrypoints.openai.errors import execution_headers
from instant.ports.clock import Clock
from instant.use_cases.executions.deps import SecondsLeft
from instant.use_cases.executions.prepare import ExecuteRequest
from instant.use_cases.executions.streams.join import Attempt, JoinDeps, execute_once
from instant.use_cases.executions.streams.listener import Listener

RETRY_COUNT = "X-Stainless-Retry-Count"
"""The header in which official clients count the repeats of a request, from 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpCall:
    """What is known of an HTTP request beside its body; a stream is sent when the request can no longer be read."""

    caller: Identity
    idempotency_key: str | None
    attempt: Attempt | None
    address: str
    renew_lease: Callable[[], None]
    seconds_left: SecondsLeft

    @classmethod
    def of(cls, app: APIGatewayRestResolver, clock: Clock, public_url: str) -> Self:
        """The request that `app` handles now."""
        context = app.lambda_context
        return cls(
            caller=caller_of(app),
            idempotency_key=idempotency_key(app),
            attempt=attempt_of(app, clock),
            address=api_address(app, public_url),
            renew_lease=lease_renewal(app),
            seconds_left=lambda: context.get_remaining_time_in_millis() / 1000,
        )

    def execute(self, request: ExecuteRequest, deps: JoinDeps, listener: Listener) -> Stored:
        """Execute the request once, and return the stored response."""
        return execute_once(request, self.attempt, self.caller, self.seconds_left, deps, listener)


def attempt_of(app: APIGatewayRestResolver, clock: Clock) -> Attempt | None:
    """Which attempt the current request is; None if its client does not count."""
    event: dict[str, Any] = app.current_event.raw_event
    count = app.current_event.headers.get(RETRY_COUNT) or ""
    if not (count.isascii() and count.isdigit()):
        return None
    received_at = (event.get("requestContext") or {}).get("requestTimeEpoch")
    return Attempt(
        is_repeat=bool(count.strip("0")),
        content=f"{event['httpMethod']} {event['resource']}\n{event['body']}",
        received_at=int(received_at or clock.now().timestamp() * 1000),
    )


@dataclass(slots=True)
class _Progress(Listener):
    """Follows an execution whose response is sent at its end."""

    headers_of: Callable[[Prepared], dict[str, str]]
    renew_lease: Callable[[], None]
    headers: dict[str, str] = field(default_factory=dict)

    def prepared(self, prepared: Prepared) -> None:
        self.headers |= self.headers_of(prepared)

    def joined(self, execution: Execution) -> None:
        """Nothing is sent yet."""

    def started(self) -> None:
        """Nothing is sent yet."""

    def delta(self, delta: Delta) -> None:
        """Nothing is sent yet."""

    def image(self, path: str, media_type: str | None) -> None:
        """Nothing is sent yet."""

    def idle(self) -> None:
        self.renew_lease()


def respond(
    request: ExecuteRequest,
    call: HttpCall,
    deps: JoinDeps,
    write: Callable[[Stored], str],
    headers: Callable[[Prepared], dict[str, str]],
) -> Response[str]:
    """Execute the request, then send the response."""
    progress = _Progress(headers, call.renew_lease)
    stored = call.execute(request, deps, progress)
    with _paid(stored):
        return Response(200, JSON, write(stored), progress.headers | execution_headers(stored["execution_id"]))


def stream(
    request: ExecuteRequest,
    call: HttpCall,
    deps: JoinDeps,
    events_of: Callable[[EventStream], AnswerStream],
    naming_errors: Callable[[], AbstractContextManager[None]],
) -> Stream:
    """Execute the request while its events are sent."""

    def send(start: Start) -> None:
        events = events_of(EventStream(start, deps.execute.clock, renew_lease=call.renew_lease))
        with events.reporting_errors(), naming_errors():
            stored = call.execute(request, deps, events)
            with _paid(stored):
                events.done(stored)

    return Stream(send)


@contextmanager
def _paid(stored: Stored) -> Iterator[None]:
    """An error while the response to a call that was charged is written: the call must not be repeated."""
    try:
        yield
    except Exception as error:
        failed = to_instant_error(error).during(stored["execution_id"])
        failed.may_have_cost = True
        raise failed from error
