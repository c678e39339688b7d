"""POST /v1/chat/completions: execute a chat request, and answer with a completion or a stream of its chunks."""

from functools import partial

from aws_lambda_powertools.event_handler import Response

from instant.entrypoints.http.stream import Stream
from instant.entrypoints.openai.calls import HttpCall, respond, stream
from instant.entrypoints.openai.chat_body import ChatBody
from instant.entrypoints.openai.chat_request import chat_request, errors_in_words_of, headers_of
from instant.entrypoints.openai.chunks import CompletionChunks
from instant.entrypoints.openai.completion import completion_text
from instant.use_cases.executions.streams.join import JoinDeps


def complete_chat(body: ChatBody, call: HttpCall, deps: JoinDeps) -> Stream | Response[str]:
    """The completion of a chat, or a stream of its chunks."""
    request, created = chat_request(body, call.idempotency_key), int(deps.execute.clock.now().timestamp())
    naming_errors = partial(errors_in_words_of, body)
    if body.stream:
        chunks = partial(CompletionChunks, body=body, created=created, address=call.address)
        return stream(request, call, deps, chunks, naming_errors)
    write = partial(completion_text, model=body.model, created=created, address=call.address)
    with naming_errors():
        return respond(request, call, deps, write, partial(headers_of, body=body))
