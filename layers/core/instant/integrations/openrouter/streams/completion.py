"""Joins the chunks of a completion while they arrive, and tells what each adds to the answer."""

from collections.abc import Iterator, Mapping
from typing import Any

from instant.domain.executions.output import Delta, ToolCallPiece
from instant.integrations.openrouter.json_text import Cleaner, clean
from instant.integrations.openrouter.streams.parts import Parts, Text, size_of

_TEXTS = ("content", "refusal", "reasoning", "reasoning_content")
_LISTS = ("images", "annotations")
_REASONING = ("reasoning", "reasoning_content", "reasoning_details", "content")
_KNOWN = ("id", "model", "provider", "usage")
_CALL = 512
"""What a tool call takes in memory besides its arguments."""


class Completion:
    """One completion; `size` is about what its answer takes in memory, in bytes.

    `facts` are the latest values beside the choices. The first finish reason and the first error count: the last chunk
    can set the finish reason back to null.
    """

    def __init__(self) -> None:
        """Begin without chunks."""
        self.size = 0
        self.facts: dict[str, Any] = {}
        self.finish_reason: Any = None
        self._error: Any = None
        self._first: Any = None
        self._count = 0
        self._has_choice = self._has_others = False
        self._message: Mapping[str, Any] = {}
        self._delta = _Delta()
        self._sizes: dict[str, int] = {}
        self._facts_size = 0

    def add(self, chunk: Any) -> list[Delta]:
        """Add the next chunk; returns what it adds to the answer."""
        self._count += 1
        self._first = chunk if self._count == 1 else None
        if not isinstance(chunk, dict):
            self._has_others = True
            return []
        choice = _first(chunk.get("choices"))
        self._keep(chunk, choice)
        deltas = list(self._delta.add(_object(choice, "delta")))
        self.size = self._facts_size + self._delta.size
        return deltas

    def document(self, *, is_done: bool, is_broken: bool) -> Any:
        """The completion as one body; raises `ValueError` if the chunks are not those of a completion.

        A single body that is no chunk is returned as it is. A stream that ends before `[DONE]`, or that has an
        unreadable chunk, has no choices: only its facts are known, such as its id and its cost.
        """
        if self._count == 1 and not is_broken and not _is_chunk(self._first):
            return self._first
        has_error = bool(self._error) or "error" in self.facts
        if not self._has_choice and (is_broken or self._has_others or not has_error):
            return {**self._known(), "choices": []}
        if is_broken or self._has_others or not (is_done or has_error):
            return {**self.facts, "error": None, "choices": []}
        choice = {"finish_reason": self.finish_reason, "error": self._error, "message": self._whole_message()}
        return {**self.facts, "choices": [choice] if self._has_choice else []}

    def _whole_message(self) -> dict[str, Any]:
        """The message of the last chunk that has one; what it lacks, such as the reasoning, is that of the deltas."""
        made = self._delta.message()
        if not self._message:
            return made
        lacked = {name: value for name, value in made.items() if value and not self._message.get(name)}
        return {**self._message, **lacked}

    def _known(self) -> dict[str, Any]:
        """What is known of a call whose chunks have no choices."""
        known = {name: self.facts[name] for name in _KNOWN if name in self.facts}
        if not known:
            raise ValueError("not the chunks of a completion")
        return known

    def _keep(self, chunk: Mapping[str, Any], choice: Mapping[str, Any]) -> None:
        for name, value in chunk.items():
            if name != "choices" and value is not None and self.facts.get(name) != value:
                self.facts[name] = value
                self._measure(name, value)
        if not choice:
            return
        self._has_choice = True
        self.finish_reason = self.finish_reason or choice.get("finish_reason")
        self._error = self._error or choice.get("error")
        if message := _object(choice, "message"):
            self._message = message
            self._measure("choices", message)

    def _measure(self, name: str, value: Any) -> None:
        size = size_of(value)
        self._facts_size += size - self._sizes.get(name, 0)
        self._sizes[name] = size


class _Delta:
    """The message that the deltas of a completion make."""

    def __init__(self) -> None:
        self.size = 0
        self._texts = {name: Text() for name in _TEXTS}
        self._content, self._details = Parts(), Parts()
        self._lists: dict[str, list[Any]] = {name: [] for name in _LISTS}
        self._calls: dict[str, _Call] = {}
        self._named_calls = 0
        self._has_parts = False
        self._clean_text, self._clean_reasoning = Cleaner(), Cleaner()
        self._source: str | None = None

    def add(self, delta: Mapping[str, Any]) -> Iterator[Delta]:
        for name, piece in delta.items():
            if not piece:
                continue  # as most fields of most chunks
            if name == "content":
                yield from self._add_content(piece)
            elif name in self._texts and isinstance(piece, str):
                self.size += self._texts[name].add(piece)
            elif name in self._lists and isinstance(piece, list):
                self._lists[name] += piece
                self.size += sum(map(size_of, piece))
        self.size += sum(self._details.add(detail) for detail in _list(delta, "reasoning_details"))
        if reasoning := self._clean_reasoning(self._reasoning(delta)):
            yield Delta(reasoning=reasoning)
        for piece in _list(delta, "tool_calls"):
            if isinstance(piece, dict):
                yield from self._add_call(piece)

    def message(self) -> dict[str, Any]:
        texts: dict[str, Any] = {name: text.value() for name, text in self._texts.items()}
        if self._has_parts:
            texts["content"] = self._content.value()
        calls = [call.value() for call in self._calls.values()]
        return {**texts, **self._lists, "reasoning_details": self._details.value(), "tool_calls": calls}

    def _add_content(self, content: object) -> Iterator[Delta]:
        """A content is a text, or a list of parts; of some models, it is first one and then the other."""
        parts = [{"type": "text", "text": content}] if isinstance(content, str) else _parts(content)
        if isinstance(content, list) and not self._has_parts:
            self._has_parts = True
            if before := self._texts["content"].value():
                self._content.add({"type": "text", "text": before})
            self._texts["content"] = Text()
        if self._has_parts:
            self.size += sum(self._content.add(part) for part in parts)
        elif isinstance(content, str):
            self.size += self._texts["content"].add(content)
        if text := self._clean_text(content if isinstance(content, str) else _joined(parts, "text")):
            yield Delta(text=text)

    def _reasoning(self, delta: Mapping[str, Any]) -> str:
        """The reasoning in the field that was first used for it: several fields can hold the same text."""
        if not any(map(delta.get, _REASONING)):
            return ""
        found = {
            "reasoning": delta.get("reasoning"),
            "reasoning_content": delta.get("reasoning_content"),
            "reasoning_details": _joined(_list(delta, "reasoning_details"), "text", "summary"),
            "content": _joined(_parts(delta.get("content")), "thinking"),
        }
        if self._source is None:
            self._source = next((name for name, text in found.items() if isinstance(text, str) and text), None)
        text = found.get(self._source or "")
        return text if isinstance(text, str) else ""

    def _add_call(self, piece: Mapping[str, Any]) -> Iterator[Delta]:
        """Pieces belong together by index or id; a piece with neither is a call of its own."""
        known = (key for name in ("index", "id") if (key := piece.get(name)) is not None)
        key = str(next(known, f"call {len(self._calls)}"))
        if key not in self._calls:
            self._calls[key] = _Call()
            self.size += _CALL
        call = self._calls[key]
        size = call.size
        reported = call.add(piece, self._named_calls)
        self.size += call.size - size
        if reported:
            self._named_calls = max(self._named_calls, reported.index + 1)
            yield Delta(tool_call=reported)


class _Call:
    """A tool call: id and name are in its first piece, the arguments in several, or are JSON itself in the last."""

    def __init__(self) -> None:
        self.size = 0
        self._id: Any = None
        self._name: Any = None
        self._arguments = Text()
        self._last: Any = None
        self._is_text = True
        self._clean = Cleaner()
        self._index: int | None = None
        self._reported: tuple[str | None, str | None] = (None, None)

    def add(self, piece: Mapping[str, Any], next_index: int) -> ToolCallPiece | None:
        function = _object(piece, "function")
        arguments = function.get("arguments")
        self._id, self._name = self._id or piece.get("id"), self._name or function.get("name")
        if arguments is not None and (arguments != "" or self._is_text):  # an empty piece ends JSON itself
            self._is_text = self._is_text and isinstance(arguments, str)
            self._last = arguments if not self._is_text else None
        text = arguments if self._is_text and isinstance(arguments, str) else ""
        self._arguments.add(text)
        self.size = sum(map(size_of, (self._id, self._name, self._last))) + len(self._arguments)
        return self._piece(self._clean(text), next_index)

    def value(self) -> dict[str, Any]:
        arguments = self._arguments.value() if self._is_text else self._last
        return {"id": self._id, "function": {"name": self._name, "arguments": arguments}}

    def _piece(self, arguments: str, next_index: int) -> ToolCallPiece | None:
        """What the piece adds; a call gets its index when it has a name or arguments, as it is no call before."""
        known = (_text(self._id), _text(self._name))
        if self._index is None and not (known[1] or arguments):
            return None
        if self._index is None:
            self._index = next_index
        new = [value if value != reported else None for value, reported in zip(known, self._reported, strict=True)]
        self._reported = known
        if not (arguments or any(new)):
            return None
        return ToolCallPiece(index=self._index, id=new[0], name=new[1], arguments=arguments)


def _is_chunk(value: object) -> bool:
    choice = _first(value.get("choices")) if isinstance(value, dict) else {}
    return "delta" in choice and "message" not in choice


def _first(choices: object) -> Mapping[str, Any]:
    found = choices[0] if isinstance(choices, list) and choices else None
    return found if isinstance(found, dict) else {}


def _parts(content: object) -> list[Any]:
    return content if isinstance(content, list) else []


def _joined(parts: list[Any], *names: str) -> str:
    texts = (next((part[name] for name in names if part.get(name)), "") for part in parts if isinstance(part, dict))
    return "".join(text for text in texts if isinstance(text, str))


def _object(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = value.get(name)
    return found if isinstance(found, dict) else {}


def _list(value: Mapping[str, Any], name: str) -> list[Any]:
    found = value.get(name)
    return found if isinstance(found, list) else []


def _text(value: object) -> str | None:
    return clean(value) if isinstance(value, str) and value else None
