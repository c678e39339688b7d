"""One chat completion: how it is asked for, and how its answer is read."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from instant.domain.errors import EmptyAnswer, Moderated, UpstreamError
from instant.domain.exchange import Reply, Request
from instant.domain.output import Answer, Output
from instant.domain.receipt import Receipt
from instant.integrations.openrouter.refusals import refusal
from instant.integrations.openrouter.wire import BASE_URL, mapping, parse, receipt_of, sequence, text

MAX_TEXT_ANSWER_BYTES = 4_000_000
"""Longest text answer that is read, in bytes."""

MAX_IMAGE_ANSWER_BYTES = 40_000_000
"""Longest answer with images in it that is read, in bytes."""


def chat_request(body: Mapping[str, Any], *, max_reply_bytes: int) -> Request:
    """The request for one answer.

    `body` always has `max_completion_tokens`: without a cap OpenRouter's credit check assumes the model's maximum
    and refuses small balances.
    """
    return Request(
        method="POST",
        base_url=BASE_URL,
        path="/chat/completions",
        body=json.dumps(body).encode(),
        headers={"Content-Type": "application/json", "X-OpenRouter-Title": "Instant Resources"},
        max_reply_bytes=max_reply_bytes,
    )


def read_chat(reply: Reply) -> Answer:
    """The answer in `reply`, or our error for whatever else came: a 200 is not yet a success."""
    if reply.status != 200:
        raise refusal(reply)
    body = parse(reply.body)
    if not isinstance(body, dict):
        raise UpstreamError("OpenRouter's answer could not be read.", outcome_unknown=True)
    choice = mapping(next(iter(sequence(body.get("choices"))), None))
    for error in (body.get("error"), choice.get("error")):
        if error:
            raise refusal(reply, mapping(error))
    finish_reason = text(choice.get("finish_reason"))
    receipt = receipt_of(reply, body, finish_reason)
    if finish_reason == "error":
        raise UpstreamError("The model's provider failed while answering.", receipt=receipt)
    message = mapping(choice.get("message"))
    images = tuple(_images(message))
    return Answer(_output(message, images, receipt), receipt, images)


def _output(message: Mapping[str, Any], images: Sequence[str], receipt: Receipt) -> Output:
    content = _content(message)
    calls = [_tool_call(mapping(call)) for call in sequence(message.get("tool_calls"))]
    if images:
        return {"type": "image", "content": content, "urls": []}
    if calls:
        return {"type": "json", "content": {"text": content, "tool_calls": calls}}
    if content:
        return {"type": "text", "content": content}
    raise _empty(receipt)


def _images(message: Mapping[str, Any]) -> Iterator[str]:
    for image in sequence(message.get("images")):
        url = mapping(mapping(image).get("image_url")).get("url")
        if isinstance(url, str):
            yield url


def _content(message: Mapping[str, Any]) -> str | None:
    """The text: a string, or the text parts of a list; a refusal is the model's own words, hence an answer."""
    content = message.get("content")
    if isinstance(content, list):
        content = "".join(text(mapping(part).get("text")) or "" for part in content)
    return text(content) or text(message.get("refusal"))


def _tool_call(call: Mapping[str, Any]) -> dict[str, object]:
    """A call whose `arguments` are JSON text, as they should be, even where a provider sends them unwrapped."""
    function = mapping(call.get("function"))
    arguments = function.get("arguments")
    if not isinstance(arguments, str | None):
        arguments = json.dumps(arguments, default=float)
    return {"id": text(call.get("id")), "name": text(function.get("name")), "arguments": arguments}


def _empty(receipt: Receipt) -> EmptyAnswer | Moderated:
    if receipt.finish_reason == "content_filter":
        return Moderated("The provider's content filter held the answer back. Change the input.", receipt=receipt)
    if receipt.finish_reason == "length":
        return EmptyAnswer(
            "The model used up its tokens before it wrote an answer. Raise max_tokens on the resource.",
            receipt=receipt,
        )
    return EmptyAnswer("The model gave an empty answer. Try again, or change the prompt.", receipt=receipt)
