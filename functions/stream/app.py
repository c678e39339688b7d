"""POST /api/execute/stream: execute a resource and stream its output, or continue such a stream."""

from collections.abc import Callable
from typing import Any

from instant.adapters.clock import SystemClock
from instant.domain.limits import MAX_MEDIA_BODY_BYTES
from instant.entrypoints.executions.event_stream import EventStream, documented_events, last_event_id
from instant.entrypoints.executions.events import ExecutionEvents
from instant.entrypoints.executions.execute import Execute
from instant.entrypoints.executions.wiring import execute_deps
from instant.entrypoints.http.app import api
from instant.entrypoints.http.caller import caller_of, idempotency_key
from instant.entrypoints.http.lambda_stream import streaming_handler_of
from instant.entrypoints.http.links import api_address
from instant.entrypoints.http.stream import Start, Stream, streamed
from instant.entrypoints.http.throttles import lease_renewal
from instant.settings import StreamSettings
from instant.use_cases.executions.execute import execute as execute_resource
from instant.use_cases.executions.prepare import ExecuteRequest
from instant.use_cases.executions.streams.resume import resume as resume_stream

settings = StreamSettings.load()
deps = execute_deps(settings, SystemClock())
app = api()


@app.post("/api/execute/stream", responses=documented_events())
@streamed
def execute(body: Execute) -> Stream:
    """Execute a resource with these inputs and send its output as server-sent events while it is written."""
    request = ExecuteRequest(
        resource_id=body.resource_id,
        address=body.resource,
        inputs=body.inputs,
        overrides=body.overrides,
        idempotency_key=idempotency_key(app),
    )
    caller = caller_of(app)
    return _stream(lambda events: execute_resource(request, caller, seconds_left, deps, events))


@app.get("/api/executions/<execution_id>/stream", responses=documented_events())
@streamed
def resume(execution_id: str) -> Stream:
    """Continue the stream of an execution: the text after `Last-Event-ID`, and everything else as a whole.

    While the execution is in progress, comments are sent first. Without the header, the whole text is sent.
    """
    position, caller = last_event_id(app), caller_of(app)
    return _stream(
        lambda events: resume_stream(execution_id, position, caller, events, seconds_left, deps.ledger), position
    )


def _stream(respond: Callable[[ExecutionEvents], dict[str, Any]], position: int = 0) -> Stream:
    """The events of an execution; `respond` reports its progress to them and returns its stored response."""
    address, renew_lease = api_address(app, settings.public_url), lease_renewal(app)

    def run(start: Start) -> None:
        events = ExecutionEvents(EventStream(start, deps.clock, renew_lease=renew_lease), address, position)
        with events.reporting_errors():
            events.done(respond(events))

    return Stream(run)


def seconds_left() -> float:
    """The remaining time of this invocation."""
    return app.lambda_context.get_remaining_time_in_millis() / 1000


handler = streaming_handler_of(app, settings, max_body_bytes=MAX_MEDIA_BODY_BYTES)
