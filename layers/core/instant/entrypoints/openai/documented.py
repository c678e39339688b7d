"""What the OpenAPI document says of the responses of /v1."""

from aws_lambda_powertools.event_handler.openapi.types import OpenAPIResponse

from instant.entrypoints.executions.event_stream import CONTENT_TYPE, EVENTS_SCHEMA
from instant.entrypoints.http.body import JSON
from instant.entrypoints.openai.completion import ChatCompletion
from instant.entrypoints.openai.embeddings import Embeddings
from instant.entrypoints.openai.responses.response import ResponseObject

_CHUNKS = """A `chat.completion`; with `stream: true`, server-sent events.

Each event is a `chat.completion.chunk` whose `delta` adds to the message. The last one has the `finish_reason`, then
`data: [DONE]` follows. With `stream_options.include_usage`, a chunk with empty `choices` and the `usage` precedes it. A
failure after the beginning is `{"error": {…}}`, the last event. Comments (lines that begin with a colon) keep the
connection alive."""

_TYPED_EVENTS = """A `response`; with `stream: true`, server-sent events.

Each event has a `type`, which is also its name, and a `sequence_number`. Items and parts begin with `….added`, continue
with `….delta` and end with `….done`. The last event is `response.completed` or `response.incomplete` with the
`response`; a failure after the beginning is `error`, the last event, with the body of the error in `error`. Comments
(lines that begin with a colon) keep the connection alive."""

CHAT: dict[int, OpenAPIResponse] = {
    200: {
        "description": _CHUNKS,
        "content": {JSON: {"model": ChatCompletion}, CONTENT_TYPE: {"schema": dict(EVENTS_SCHEMA)}},
    }
}
EMBEDDINGS: dict[int, OpenAPIResponse] = {
    200: {"description": "The embeddings.", "content": {JSON: {"model": Embeddings}}}
}
RESPONSES: dict[int, OpenAPIResponse] = {
    200: {
        "description": _TYPED_EVENTS,
        "content": {JSON: {"model": ResponseObject}, CONTENT_TYPE: {"schema": dict(EVENTS_SCHEMA)}},
    }
}
