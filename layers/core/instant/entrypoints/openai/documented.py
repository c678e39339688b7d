"""What the OpenAPI document says of the responses of /v1."""

from aws_lambda_powertools.event_handler.openapi.types import OpenAPIResponse

from instant.entrypoints.executions.event_stream import CONTENT_TYPE, EVENTS_SCHEMA
from instant.entrypoints.http.body import JSON
from instant.entrypoints.openai.completion import ChatCompletion
from instant.entrypoints.openai.embeddings import Embeddings

_CHUNKS = """A `chat.completion`; with `stream: true`, server-sent events.

Each event is a `chat.completion.chunk` whose `delta` adds to the message. The last one has the `finish_reason`, then
`data: [DONE]` follows. With `stream_options.include_usage`, a chunk with empty `choices` and the `usage` precedes it. A
failure after the beginning is `{"error": {…}}`, the last event. Comments (lines that begin with a colon) keep the
connection alive."""

CHAT: dict[int, OpenAPIResponse] = {
    200: {
        "description": _CHUNKS,
        "content": {JSON: {"model": ChatCompletion}, CONTENT_TYPE: {"schema": dict(EVENTS_SCHEMA)}},
    }
}
EMBEDDINGS: dict[int, OpenAPIResponse] = {
    200: {"description": "The embeddings.", "content": {JSON: {"model": Embeddings}}}
}
