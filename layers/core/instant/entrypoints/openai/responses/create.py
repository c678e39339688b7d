"""POST /v1/responses: execute a request, and answer with a response or a stream of its events."""

from functools import partial

from aws_lambda_powertools.event_handler import Response

from instant.entrypoints.http.stream import Stream
from instant.entrypoints.openai.calls import HttpCall, respond, stream
from instant.entrypoints.openai.responses.body import ResponsesBody
from instant.entrypoints.openai.responses.events import ResponseEvents
from instant.entrypoints.openai.responses.request import responses_request
from instant.entrypoints.openai.responses.response import ResponseWriter
from instant.use_cases.executions.streams.join import JoinDeps


def create_response(body: ResponsesBody, call: HttpCall, deps: JoinDeps) -> Stream | Response[str]:
    """The response of a model, or a stream of its events."""
    request = responses_request(body, call.idempotency_key)
    writer = ResponseWriter(body, int(deps.execute.clock.now().timestamp()), call.address)
    if body.stream:
        events = partial(ResponseEvents, request=request, writer=writer)
        return stream(request.execute, call, deps, events, request.naming_errors)
    with request.naming_errors():
        return respond(request.execute, call, deps, writer.text, request.headers_of)
