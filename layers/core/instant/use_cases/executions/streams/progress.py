"""Reports an answer to a listener while it arrives, and what is missing of it at its end."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from instant.domain.executions.delivery import stream_facts, streamed_media_types, streamed_text, streamed_tool_calls
from instant.domain.executions.output import Answer, Delta, ToolCallPiece
from instant.domain.secret import Mask
from instant.use_cases.executions.streams.listener import Listener
from instant.use_cases.executions.streams.pieces import Pieces


@dataclass
class _Call:
    """What was reported of a tool call."""

    arguments: Pieces
    names: dict[str, str | None] = field(default_factory=lambda: {"id": None, "name": None})
    is_reported: bool = False


class Progress:
    """The progress of one execution: everything that it reports is masked."""

    def __init__(self, listener: Listener, mask: Mask) -> None:
        """Report to `listener` without what `mask` removes."""
        self._listener = listener
        self._mask = mask
        self._text, self._reasoning = Pieces(mask), Pieces(mask)
        self._calls: defaultdict[int, _Call] = defaultdict(lambda: _Call(Pieces(mask)))
        self._has_started = False

    def started(self) -> None:
        """Report that a service has accepted the call, once."""
        if not self._has_started:
            self._has_started = True
            self._listener.started()

    def delta(self, delta: Delta) -> None:
        """Report the next piece as far as it cannot change any more."""
        if delta.tool_call:
            self._add_call(delta.tool_call)
        for reasoning in self._reasoning.next_of(delta.reasoning):
            self._listener.delta(Delta(reasoning=reasoning))
        for text in self._text.next_of(delta.text):
            self._listener.delta(Delta(text=text))

    def finish(self, answer: Answer) -> Answer:
        """Report the images and what is missing of the answer; returns it, with whether its text was replaced."""
        self.started()
        stored = {"output": answer.output, **stream_facts(answer)}
        for path, media_type in zip(answer.output.get("urls", ()), streamed_media_types(stored), strict=True):
            self._listener.image(path, media_type)
        deltas = list(self._missing(stored))
        for delta in deltas:
            self._listener.delta(delta)
        is_replaced = any(delta.replace and not (delta.reasoning or delta.tool_call) for delta in deltas)
        return replace(answer, is_replaced=is_replaced)

    def _missing(self, stored: Mapping[str, Any]) -> Iterator[Delta]:
        reasoning, is_replaced = self._reasoning.last(stored["output"].get("reasoning") or "")
        if reasoning:
            yield Delta(reasoning=reasoning, replace=is_replaced)
        text, is_replaced = self._text.last(streamed_text(stored))
        if text or is_replaced:
            yield Delta(text=text, replace=is_replaced)
        for index, call in enumerate(streamed_tool_calls(stored)):
            yield from self._missing_of(index, call)

    def _missing_of(self, index: int, call: Mapping[str, Any]) -> Iterator[Delta]:
        reported, names = self._calls[index], {name: call[name] for name in ("id", "name")}
        arguments, is_replaced = reported.arguments.last(call["arguments"])
        is_replaced = is_replaced or (reported.is_reported and names != reported.names)
        if is_replaced:
            arguments = call["arguments"]
        if arguments or not reported.is_reported:
            facts = {} if reported.is_reported and not is_replaced else names
            yield Delta(tool_call=ToolCallPiece(index=index, arguments=arguments, **facts), replace=is_replaced)

    def _add_call(self, piece: ToolCallPiece) -> None:
        call, names = self._calls[piece.index], {"id": self._masked(piece.id), "name": self._masked(piece.name)}
        arguments = call.arguments.next(piece.arguments)
        call.names |= {name: value for name, value in names.items() if value}
        if arguments or any(names.values()):
            call.is_reported = True
            self._listener.delta(Delta(tool_call=ToolCallPiece(index=piece.index, arguments=arguments, **names)))

    def _masked(self, text: str | None) -> str | None:
        return None if text is None else self._mask.text(text)
