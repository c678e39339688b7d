"""Server-sent events where a JSON body was asked for: comments around the JSON, or the whole answer in chunks."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

_DONE = re.compile(r"data:[ \t]*\[DONE\]\s*\Z")
_IGNORED = re.compile(r"(?::|(?:event|id|retry):|data:[ \t]*\[DONE\][ \t]*\Z)")
_DATA = re.compile(r"\Adata:[ \t]?")
_TEXTS = ("content", "refusal", "reasoning", "reasoning_content")
_LISTS = ("images", "annotations")


def without_framing(text: str) -> str:
    """The data in `text`: without comments, `[DONE]`, and the names of fields.

    JSON strings contain no line breaks, so that no line of a JSON text begins like a line of an event.
    """
    lines = (each.lstrip() for each in _DONE.sub("", text).replace("\r", "\n").split("\n"))
    return "\n".join(_DATA.sub("", line) for line in lines if not _IGNORED.match(line))


def is_done(text: str) -> bool:
    """Whether the stream ends with `[DONE]`."""
    return _DONE.search(text) is not None


def is_chunk(value: object) -> bool:
    """Whether `value` is one chunk of a completion."""
    choice = _first(value.get("choices")) if isinstance(value, dict) else None
    return choice is not None and "delta" in choice and "message" not in choice


def completion_of(chunks: Sequence[Any], *, is_done: bool) -> dict[str, Any]:
    """The completion that was sent as `chunks`; raises `ValueError` if they are none, or are not all of it."""
    bodies = [chunk for chunk in chunks if isinstance(chunk, dict)]
    choices = [choice for body in bodies if (choice := _first(body.get("choices")))]
    finish_reason = _earliest(choices, "finish_reason")
    whole: dict[str, Any] = {}
    for body in bodies:
        whole |= {name: value for name, value in body.items() if value is not None}
    error = _earliest(choices, "error")
    if len(bodies) != len(chunks) or not (choices or "error" in whole):
        raise ValueError("not the chunks of a completion")
    if not (is_done or finish_reason or error or "error" in whole):
        raise ValueError("the stream is not complete")
    messages = [message for choice in choices if (message := _object(choice, "message"))]
    message = messages[-1] if messages else _message([_object(choice, "delta") for choice in choices])
    return {
        **whole,
        "choices": [{"finish_reason": finish_reason, "error": error, "message": message}] if choices else [],
    }


def _message(deltas: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    texts: dict[str, Any] = {
        name: "".join(piece for delta in deltas if isinstance(piece := delta.get(name), str)) for name in _TEXTS
    }
    if any(_list(delta, "content") for delta in deltas):
        texts["content"] = [part for delta in deltas for part in _content_parts(delta.get("content"))]
    lists = {name: [item for delta in deltas for item in _list(delta, name)] for name in _LISTS}
    return {
        **texts,
        **lists,
        "reasoning_details": _joined_details(
            detail for delta in deltas for detail in _list(delta, "reasoning_details")
        ),
        "tool_calls": list(_tool_calls(piece for delta in deltas for piece in _list(delta, "tool_calls"))),
    }


def _joined_details(pieces: Iterable[Any]) -> list[dict[str, Any]]:
    """The parts of the reasoning by type and index: their texts come in pieces, and the signature at the end."""
    parts: dict[str, dict[str, Any]] = {}
    for piece in pieces:
        if not isinstance(piece, dict):
            continue
        is_piece = not {"text", "summary", "signature"}.isdisjoint(piece)
        key = f"{piece.get('type')} {piece.get('index')}" if is_piece else f"part {len(parts)}"
        known = parts.get(key, {})
        whole = {**known, **{name: value for name, value in piece.items() if value or name not in known}}
        texts = {name: f"{known.get(name) or ''}{piece.get(name) or ''}" for name in ("text", "summary")}
        parts[key] = {**whole, **{name: text for name, text in texts.items() if name in whole}}
    return list(parts.values())


def _content_parts(content: object) -> Iterable[Any]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return content if isinstance(content, list) else []


def _tool_calls(pieces: Iterable[Any]) -> Iterator[dict[str, Any]]:
    """The calls by their index: id and name are in the first piece, the arguments in several."""
    calls: dict[str, list[Mapping[str, Any]]] = {}
    for piece in pieces:
        if isinstance(piece, dict):
            known = (key for name in ("index", "id") if (key := piece.get(name)) is not None)
            calls.setdefault(str(next(known, f"call {len(calls)}")), []).append(piece)
    for parts in calls.values():
        functions = [_object(part, "function") for part in parts]
        arguments = [value for function in functions if (value := function.get("arguments")) is not None]
        is_text = all(isinstance(value, str) for value in arguments)
        function = {"name": _earliest(functions, "name"), "arguments": "".join(arguments) if is_text else arguments[-1]}
        yield {"id": _earliest(parts, "id"), "function": function}


def _earliest(objects: Sequence[Mapping[str, Any]], name: str) -> Any:
    return next((value for each in objects if (value := each.get(name))), None)


def _first(choices: object) -> Mapping[str, Any] | None:
    found = choices[0] if isinstance(choices, list) and choices else None
    return found if isinstance(found, dict) else None


def _object(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = value.get(name)
    return found if isinstance(found, dict) else {}


def _list(value: Mapping[str, Any], name: str) -> list[Any]:
    found = value.get(name)
    return found if isinstance(found, list) else []
