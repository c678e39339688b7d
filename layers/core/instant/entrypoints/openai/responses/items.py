"""Items of an input as messages of a conversation; what belongs to one answer becomes one message."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from instant.entrypoints.openai.responses.item_shapes import (
    ITEM_SHAPES,
    FunctionCallItem,
    FunctionCallOutputItem,
    Item,
    MessageItem,
    ReasoningItem,
    RefusalPart,
    SummaryPart,
    TextPart,
)
from instant.entrypoints.openai.responses.parts import ANSWERED, content_of, output_of, parsed, parts_of
from instant.entrypoints.openai.responses.reasoning import opened


@dataclass(frozen=True, slots=True)
class Message:
    """A message, and the path of the first item that it was read from."""

    sent: dict[str, Any]
    where: str


@dataclass(slots=True)
class _Answer:
    """Consecutive items of an earlier answer."""

    where: str
    texts: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    details: list[dict[str, Any]] = field(default_factory=list)
    images: list[Any] = field(default_factory=list)
    calls: list[dict[str, Any]] = field(default_factory=list)

    def message(self) -> Message:
        """The items as one message."""
        parts = [{"type": "text", "text": text} for text in self.texts]
        more = {
            "refusal": "\n".join(self.refused),
            "reasoning": "\n\n".join(self.reasoning),
            "reasoning_details": self.details,
            "images": self.images,
            "tool_calls": self.calls,
        }
        content = parts if len(parts) > 1 else self.texts[0] if parts else None
        given = {name: value for name, value in more.items() if value}
        return Message({"role": "assistant", "content": content, **given}, self.where)

    def add(self, item: MessageItem | ReasoningItem | FunctionCallItem, where: str) -> None:
        """Add the next item."""
        match item:
            case MessageItem():
                self._add_content(item.content, f"{where}.content")
                self.images += item.images or ()
            case ReasoningItem():
                self.reasoning += (part.text for part in _summary(item, where))
                if item.encrypted_content:
                    self.details += opened(item.encrypted_content, f"{where}.encrypted_content")
            case FunctionCallItem():
                function = {"name": item.name, "arguments": item.arguments}
                self.calls.append({"id": item.call_id, "type": "function", "function": function})

    def _add_content(self, content: Any, where: str) -> None:
        if isinstance(content, str):
            self.texts.append(content)
            return
        for part in parts_of(content, where, ANSWERED):
            if isinstance(part, RefusalPart):
                self.refused.append(part.refusal)
            elif isinstance(part, TextPart):
                self.texts.append(part.text)


def messages_of(items: list[Any], where: str) -> Iterator[Message]:
    """The messages of `items`, which are at the path `where`."""
    answer: _Answer | None = None
    for number, value in enumerate(items):
        place = f"{where}.{number}"
        item = _item(value, place)
        if isinstance(item, FunctionCallOutputItem) or (isinstance(item, MessageItem) and item.role != "assistant"):
            if answer:
                yield answer.message()
            answer = None
            yield Message(_given(item, place), place)
        else:
            answer = answer or _Answer(place)
            answer.add(item, place)
    if answer:
        yield answer.message()


def _item(value: Any, where: str) -> Item:
    """An item; one without a type is a message."""
    kind = value.get("type", "message") if isinstance(value, dict) else None
    return parsed(value, where, ITEM_SHAPES, kind)


def _given(item: MessageItem | FunctionCallOutputItem, where: str) -> dict[str, Any]:
    if isinstance(item, FunctionCallOutputItem):
        return {"role": "tool", "tool_call_id": item.call_id, "content": output_of(item.output, f"{where}.output")}
    return {"role": item.role, "content": content_of(item.content, f"{where}.content")}


def _summary(item: ReasoningItem, where: str) -> Iterator[SummaryPart]:
    for number, part in enumerate(item.summary):
        kind = part.get("type")
        yield parsed(part, f"{where}.summary.{number}", {"summary_text": SummaryPart}, kind)
