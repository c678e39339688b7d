"""/api/executions: the caller's executions, links to their outputs, and their cancellation."""

from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from instant.adapters.clock import SystemClock
from instant.adapters.executions.answer_store import S3AnswerStore
from instant.adapters.executions.cancellations import DynamoCancellations
from instant.adapters.executions.history import DynamoExecutionHistory
from instant.adapters.executions.output_links import S3OutputLinks
from instant.domain.executions.delivery import OutputPart, deliverable
from instant.entrypoints.executions.history import ExecutionDetail, ExecutionSummary, execution_detail, execution_view
from instant.entrypoints.executions.links import documented_link, link_response
from instant.entrypoints.http.app import api, handler_of
from instant.entrypoints.http.body import JSON
from instant.entrypoints.http.caller import caller_of
from instant.entrypoints.http.links import api_address, with_links
from instant.entrypoints.http.paging import PageOf, page_answer, page_request
from instant.entrypoints.http.responses import accepted, documented
from instant.settings import ExecutionsSettings
from instant.use_cases.executions.read import OutputDeps, link_to_output, list_executions, read_execution
from instant.use_cases.executions.streams.cancel import CancelDeps, cancel_execution

settings = ExecutionsSettings.load()
history = DynamoExecutionHistory(settings.executions_table)
deps = OutputDeps(
    executions=history,
    answers=S3AnswerStore(settings.media_bucket),
    links=S3OutputLinks(settings.media_bucket),
    clock=SystemClock(),
)
cancel_deps = CancelDeps(
    executions=history, cancellations=DynamoCancellations(settings.executions_table), clock=deps.clock
)
app = api()


@app.get("/api/executions")
def index(limit: Annotated[int, Query(ge=1, le=200)] = 50, cursor: str | None = None) -> PageOf[ExecutionSummary]:
    """List the caller's executions, newest first."""
    page = list_executions(caller_of(app), page_request(limit, cursor), history)
    return page_answer(page, execution_view)


@app.get("/api/executions/<execution_id>", responses=documented(ExecutionDetail))
def show(execution_id: str) -> dict[str, Any]:
    """Get one execution with its stored answer."""
    execution, stored = read_execution(execution_id, caller_of(app), deps)
    detail = execution_detail(execution, deliverable(stored) if stored else None)
    return with_links(detail, api_address(app, settings.public_url))


@app.get("/api/executions/<execution_id>/output", responses=documented_link("The output itself."))
def output(execution_id: str, part: Literal["output", "content"] = "output") -> Response[dict[str, Any] | None]:
    """Get a short-lived link to the output as JSON, or to its content only: a redirect, or JSON on request."""
    return link_response(app, link_to_output(execution_id, OutputPart(part), caller_of(app), deps))


@app.post("/api/executions/<execution_id>/cancel", responses=accepted(ExecutionDetail))
def cancel(execution_id: str) -> Response[dict[str, Any]]:
    """Ask a streamed execution to stop; its run does so within seconds, and what it has cost is recorded.

    It can be repeated. One that has ended in another way, or is not streamed, cannot be cancelled.
    """
    execution = cancel_execution(execution_id, caller_of(app), cancel_deps)
    return Response(202, JSON, execution_detail(execution, None))


handler = handler_of(app, settings)
