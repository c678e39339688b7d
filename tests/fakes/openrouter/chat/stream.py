"""A completion as server-sent events, in the order and shape of the recordings."""

import re
from collections.abc import Iterator

from tests.fakes.openrouter.chat.completion import reasoning_detail
from tests.fakes.openrouter.exact_json import Json, encode

EVENT_HEADERS = {"Content-Type": "text/event-stream", "Cache-Control": "no-cache"}
COMMENT = b": OPENROUTER PROCESSING\n\n"
DONE = b"data: [DONE]\n\n"

_WORDS = re.compile(r"\s*\S+\s*?(?:\s+\S+){0,2}|\s+")
_ARGUMENT_PIECE = 12
_NOTHING: Json = {"role": "assistant", "content": ""}


def events(completion: Json, done: bool = True) -> Iterator[bytes]:
    """Yield comments, chunks, usage in a last chunk with non-empty choices, and `[DONE]` if `done`."""
    yield COMMENT + COMMENT
    for number, delta in enumerate(_deltas(completion)):
        if number == 1:
            yield COMMENT
        yield _event(_chunk(completion, delta))
    yield from _ending(completion)
    if done:
        yield DONE


def _ending(completion: Json) -> Iterator[bytes]:
    if "error" in completion:
        yield _event({**_chunk(completion, _NOTHING), "error": completion["error"]})
        return
    choice = completion["choices"][0]
    if "error" in choice:
        yield _event(_with_usage(completion, _chunk(completion, _NOTHING) | {"error": choice["error"]}))
        return
    last = _chunk(completion, _NOTHING, choice["finish_reason"], choice["native_finish_reason"])
    yield _event(last)
    yield _event(_with_usage(completion, last))


def _with_usage(completion: Json, chunk: Json) -> Json:
    usage = {"usage": completion["usage"]} if "usage" in completion else {}
    return {**chunk, "service_tier": None, **usage}


def _deltas(completion: Json) -> Iterator[Json]:
    """The deltas of the message."""
    if "error" in completion:
        return
    message = completion["choices"][0]["message"]
    for text in _pieces(message.get("reasoning")):
        yield {**_NOTHING, "reasoning": text, "reasoning_details": [reasoning_detail(text)]}
    for text in _pieces(message.get("content")):
        yield {**_NOTHING, "content": text}
    if message.get("refusal"):
        yield {**_NOTHING, "refusal": message["refusal"]}
    for index, call in enumerate(message.get("tool_calls", [])):
        yield from ({**_NOTHING, "content": None, "tool_calls": [piece]} for piece in _call_pieces(index, call))
    if message.get("images"):
        yield {**_NOTHING, "images": message["images"]}


def _pieces(text: str | None) -> list[str]:
    """Pieces of a few words; a very long text is one piece."""
    if text and len(text) > 1_000_000:
        return [text]
    return _WORDS.findall(text or "")


def _call_pieces(index: int, call: Json) -> Iterator[Json]:
    """A tool call in pieces: id and name in the first one, then parts of the arguments."""
    function = call["function"]
    head = {"name": function["name"], "arguments": ""}
    yield {"index": index, "id": call["id"], "type": "function", "function": head}
    for start in range(0, len(function["arguments"]), _ARGUMENT_PIECE):
        part = function["arguments"][start : start + _ARGUMENT_PIECE]
        yield {"index": index, "type": "function", "function": {"arguments": part}}


def _chunk(completion: Json, delta: Json, finish: str | None = None, native: str | None = None) -> Json:
    choice = {"index": 0, "delta": delta, "finish_reason": finish, "native_finish_reason": native}
    named = {key: completion[key] for key in _NAMES if key in completion}
    return {**named, "object": "chat.completion.chunk", "choices": [choice]}


_NAMES = ("id", "object", "created", "model", "provider")


def _event(chunk: Json) -> bytes:
    return b"data: " + encode(chunk) + b"\n\n"
