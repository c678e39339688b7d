"""POST /api/execute: execute a resource."""

from typing import Any

from instant.adapters.clock import SystemClock
from instant.domain.executions.delivery import deliverable
from instant.domain.limits import MAX_MEDIA_BODY_BYTES
from instant.entrypoints.executions.execute import Execute, ExecutedCall
from instant.entrypoints.executions.wiring import execute_deps
from instant.entrypoints.http.app import api, handler_of
from instant.entrypoints.http.caller import caller_of, idempotency_key
from instant.entrypoints.http.links import api_address, with_links
from instant.entrypoints.http.responses import documented
from instant.settings import ExecuteSettings
from instant.use_cases.executions.execute import execute as execute_resource
from instant.use_cases.executions.prepare import ExecuteRequest

settings = ExecuteSettings.load()
deps = execute_deps(settings, SystemClock())
app = api()


@app.post("/api/execute", responses=documented(ExecutedCall))
def execute(body: Execute) -> dict[str, Any]:
    """Execute a resource with these inputs and return its output."""
    request = ExecuteRequest(
        resource_id=body.resource_id,
        address=body.resource,
        inputs=body.inputs,
        overrides=body.overrides,
        idempotency_key=idempotency_key(app),
    )
    response = execute_resource(request, caller_of(app), seconds_left, deps)
    return with_links(deliverable(response), api_address(app, settings.public_url))


def seconds_left() -> float:
    """The remaining time of this invocation."""
    return app.lambda_context.get_remaining_time_in_millis() / 1000


handler = handler_of(app, settings, max_body_bytes=MAX_MEDIA_BODY_BYTES)
