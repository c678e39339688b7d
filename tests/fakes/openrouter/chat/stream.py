"""A completion as server-sent events, in the order and shape of the recordings."""

from collections.abc import Iterator, Sequence

from tests.fakes.openrouter.exact_json import Json, encode
from tests.fakes.openrouter.streams.deltas import NOTHING, deltas

EVENT_HEADERS = {"Content-Type": "text/event-stream", "Cache-Control": "no-cache"}
COMMENT = b": OPENROUTER PROCESSING\n\n"
BARE_COMMENT = b":\n\n"
DONE = b"data: [DONE]\n\n"

_BETWEEN = {1: COMMENT, 2: BARE_COMMENT}
"""The comments before the second and the third chunk."""

_REPEATING_PROVIDERS = ("Amazon Bedrock",)
"""The providers whose usage chunk repeats the finish reason; those of others set it back to null."""


def events(completion: Json, done: bool = True, parts: Sequence[Json] | None = None) -> Iterator[bytes]:
    """Yield comments, chunks, usage in a last chunk with non-empty choices, and `[DONE]` if `done`.

    `parts` are the deltas to send, by default those of the whole message.
    """
    yield COMMENT + COMMENT
    for number, delta in enumerate(deltas(completion) if parts is None else parts):
        if number in _BETWEEN:
            yield _BETWEEN[number]
        yield _event(_chunk(completion, delta))
    yield from _ending(completion)
    if done:
        yield DONE


def _ending(completion: Json) -> Iterator[bytes]:
    if "error" in completion:
        yield _event({**_chunk(completion, NOTHING), "error": completion["error"]})
        return
    choice = completion["choices"][0]
    if "error" in choice:
        yield _event(_with_usage(completion, _chunk(completion, NOTHING) | {"error": choice["error"]}))
        return
    last = _chunk(completion, NOTHING, choice["finish_reason"], choice["native_finish_reason"])
    repeats = completion.get("provider") in _REPEATING_PROVIDERS
    yield _event(last)
    yield _event(_with_usage(completion, last if repeats else _chunk(completion, NOTHING)))


def _with_usage(completion: Json, chunk: Json) -> Json:
    usage = {"usage": completion["usage"]} if "usage" in completion else {}
    return {**chunk, "service_tier": None, **usage}


def _chunk(completion: Json, delta: Json, finish: str | None = None, native: str | None = None) -> Json:
    choice = {"index": 0, "delta": delta, "finish_reason": finish, "native_finish_reason": native, "logprobs": None}
    named = {key: completion[key] for key in _NAMES if key in completion}
    return {**named, "object": "chat.completion.chunk", "choices": [choice]}


_NAMES = ("id", "object", "created", "model", "provider")


def _event(chunk: Json) -> bytes:
    return b"data: " + encode(chunk) + b"\n\n"
