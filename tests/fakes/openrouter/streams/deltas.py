"""The deltas of a completion, in the order and shape of the recordings."""

import itertools
import re
from collections.abc import Iterator
from typing import Any

from tests.fakes.openrouter.exact_json import Json
from tests.fakes.openrouter.messages.reasoning import plain_detail

NOTHING: Json = {"role": "assistant", "content": ""}

_WORDS = re.compile(r"\s*\S+\s*?(?:\s+\S+){0,2}|\s+")
_ARGUMENT_PIECE = 12
_ONE_PIECE = 1_000_000


def deltas(completion: Json, size: int | None = None) -> list[Json]:
    """All deltas of the message; its first half if the choice has an error.

    Texts are cut after a few words, or after `size` characters.
    """
    if "error" in completion:
        return []
    choice = completion["choices"][0]
    found = [{**NOTHING, **delta} for delta in _deltas(choice["message"], size)]
    return found[: (len(found) + 1) // 2] if "error" in choice else found


def _deltas(message: Json, size: int | None) -> Iterator[Json]:
    yield from _reasoning(message, size)
    for text in _pieces(message.get("content"), size):
        yield {"content": text}
    if message.get("refusal"):
        yield {"refusal": message["refusal"]}
    for piece in _interleaved(message.get("tool_calls", []), size or _ARGUMENT_PIECE):
        yield {"content": None, "tool_calls": [piece]}
    if message.get("images"):
        yield {"images": message["images"]}


def _reasoning(message: Json, size: int | None) -> Iterator[Json]:
    text = message.get("reasoning")
    details = message.get("reasoning_details") or ([plain_detail(text)] if text else [])
    if details:
        yield {"reasoning": None, "reasoning_details": []}
    for detail in details:
        for words, piece in _detail_pieces(detail, size):
            yield {"reasoning": words, "reasoning_details": [piece]}


def _detail_pieces(detail: Json, size: int | None) -> Iterator[tuple[str | None, Json]]:
    """The pieces of a detail with their text: a signature is empty at the start, and alone at the end."""
    key = next((key for key in ("text", "summary") if key in detail), None)
    if key is None:
        yield None, detail
        return
    kept = {name: value for name, value in detail.items() if name not in (key, "signature")}
    signed = "signature" in detail
    if signed:
        yield None, {**kept, key: "", "signature": ""}
    for words in _pieces(detail[key], size):
        yield words, {**kept, key: words}
    if signed:
        yield None, {**kept, "signature": detail["signature"]}


def _pieces(text: str | None, size: int | None) -> list[str]:
    """Pieces of a few words, or of `size` characters; a very long text is one piece."""
    if text and len(text) > _ONE_PIECE:
        return [text]
    return _cut(text or "", size) if size else _WORDS.findall(text or "")


def _cut(text: str, size: int) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


def _interleaved(calls: list[Json], size: int) -> Iterator[Json]:
    """The pieces of parallel tool calls in turn."""
    columns = [_call_pieces(index, call, size) for index, call in enumerate(calls)]
    for row in itertools.zip_longest(*columns):
        yield from (piece for piece in row if piece is not None)


def _call_pieces(index: int, call: Json, size: int) -> Iterator[dict[str, Any]]:
    """A tool call in pieces: id and name in the first one, then parts of the arguments."""
    function = call["function"]
    head = {"name": function["name"], "arguments": ""}
    yield {"index": index, "id": call["id"], "type": "function", "function": head}
    for part in _cut(function["arguments"], size):
        yield {"index": index, "type": "function", "function": {"arguments": part}}
