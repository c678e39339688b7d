"""One chat completion: its request, and the parsing of its response."""

import json
from collections.abc import Mapping
from typing import Any

from instant.domain.errors import EmptyAnswer, Moderated, UpstreamError
from instant.domain.exchange import Reply, Request
from instant.domain.executions.failure import Effect, Failure
from instant.domain.executions.output import Answer
from instant.domain.executions.receipt import Receipt
from instant.integrations.openrouter.errors import failure_of
from instant.integrations.openrouter.message import possible_images, raw_text, read_images, read_output
from instant.integrations.openrouter.parsing import NAME, mapping, parse, receipt_of, sequence, text

MAX_TEXT_ANSWER_BYTES = 4_000_000
"""Maximum size of a text response in bytes."""

MAX_IMAGE_ANSWER_BYTES = 40_000_000
"""Maximum size of a response with images in bytes."""


def chat_request(body: Mapping[str, Any], *, max_reply_bytes: int) -> Request:
    """The request of one chat completion.

    `body` always has `max_completion_tokens`: without it, OpenRouter's credit check assumes the model's maximum and
    rejects small balances.
    """
    return Request(
        method="POST",
        integration=NAME,
        path="/chat/completions",
        body=json.dumps(body).encode(),
        headers={"Content-Type": "application/json", "X-OpenRouter-Title": "Instant Resources"},
        max_reply_bytes=max_reply_bytes,
        id_header="x-generation-id",
        stream=bool(body.get("stream")),
    )


def read_chat(reply: Reply, *, wants_json: bool = False, wants_images: bool = False) -> Answer:
    """The answer in `reply`; raises `Failure` for any other response: status 200 alone does not mean success."""
    if reply.status != 200:
        raise failure_of(reply)
    body = mapping(parse(reply))
    choice = mapping(next(iter(sequence(body.get("choices"))), None))
    for error in (body.get("error"), choice.get("error")):
        if error:
            raise failure_of(reply, mapping(error))
    finish_reason = text(choice.get("finish_reason"))
    receipt = receipt_of(reply, body, finish_reason)
    if not choice:
        # the cost comes at the end of a stream: with it, the call has ended
        effect = Effect.UNKNOWN if receipt.cost_nanousd is None else Effect.KNOWN
        raise Failure(UpstreamError("OpenRouter's answer could not be parsed."), receipt=receipt, effect=effect)
    if finish_reason == "error":
        raise Failure(UpstreamError("The model's provider failed while answering."), receipt=receipt)
    message = {"citations": body.get("citations"), **mapping(choice.get("message"))}
    if painted := read_images(message, wants_images=wants_images):
        return Answer(painted[0], receipt, painted[1])
    output = read_output(message, wants_json=wants_json)
    if output is None:
        raise Failure(_empty(receipt), receipt=receipt)
    return Answer(output, receipt, possible_images=possible_images(output), text=raw_text(message, output))


def _empty(receipt: Receipt) -> EmptyAnswer | Moderated:
    if receipt.finish_reason == "content_filter":
        return Moderated("The provider's content filter blocked the answer. Change the input.")
    if receipt.finish_reason == "length":
        return EmptyAnswer("The model reached max_tokens before it wrote an answer. Raise max_tokens on the resource.")
    return EmptyAnswer("The model returned an empty answer. Retry, or change the prompt.")
