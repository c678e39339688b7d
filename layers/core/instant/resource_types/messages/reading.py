"""Reads the messages of a conversation: validates each by its role, and writes it in the form that is sent."""

import json
from collections.abc import Sequence
from typing import Any

from instant.domain.errors import InvalidField
from instant.domain.limits import MAX_IMAGES, MAX_MESSAGES_BYTES
from instant.domain.validation import parse
from instant.resource_types.messages.content import Content
from instant.resource_types.messages.order import check_order
from instant.resource_types.messages.parts import ReadParts, read_image, read_parts
from instant.resource_types.messages.turns import TURNS, AssistantTurn, SystemTurn, ToolTurn, UserTurn

_MEDIA = ("text", "image_url", "file", "input_audio")
_TEXT = ("text",)


def read_messages(messages: Sequence[Any], where: str, *, allows_system: bool) -> Content:
    """The content of a conversation; `InvalidField` names the part that is not valid, as a path below `where`.

    Messages of the system and of the developer are sent as those of the system, if `allows_system`.
    """
    turns = [_turn(message, f"{where}.{number}") for number, message in enumerate(messages)]
    for number, turn in enumerate(turns):
        if isinstance(turn, SystemTurn) and not allows_system:
            problem = f"is {turn.role}, and this resource takes no instructions from callers; leave the message out"
            raise InvalidField.named(f"{where}.{number}.role", problem)
    check_order(turns, where)
    read = [_read(turn, f"{where}.{number}") for number, turn in enumerate(turns)]
    whole = _joined([each for each in read if each is not None])
    _check_size(whole, where)
    last = turns[-1]
    if isinstance(last, AssistantTurn) and not _has_text(whole.messages[-1]["content"]):
        raise InvalidField.named(f"{where}.{len(turns) - 1}", "is an answer without text; end with a message to answer")
    return whole


def _turn(message: Any, where: str) -> SystemTurn | UserTurn | AssistantTurn | ToolTurn:
    if not isinstance(message, dict):
        raise InvalidField.named(where, "must be an object with role and content")
    role = message.get("role")
    if not isinstance(role, str) or role not in TURNS:
        raise InvalidField.named(f"{where}.role", f"must be one of: {', '.join(TURNS)}")
    return parse(TURNS[role], message, where)


def _joined(read: Sequence[Content]) -> Content:
    return Content(
        [message for each in read for message in each.messages],
        [text for each in read for text in each.texts],
        [media for each in read for media in each.media],
    )


def _check_size(content: Content, where: str) -> None:
    if not content.messages:
        raise InvalidField.named(where, "have no text")
    if len(content.media) > MAX_IMAGES:
        raise InvalidField.named(where, f"have {len(content.media)} images, files and audio; {MAX_IMAGES} are allowed")
    if content.text_bytes > MAX_MESSAGES_BYTES:
        raise InvalidField.named(where, f"take {content.text_bytes} bytes in UTF-8; {MAX_MESSAGES_BYTES} are allowed")


def _read(turn: SystemTurn | UserTurn | AssistantTurn | ToolTurn, where: str) -> Content | None:
    """The content of one message; None for an empty message of the system, which says nothing."""
    match turn:
        case SystemTurn():
            said = read_parts(turn.content, f"{where}.content", _TEXT)
            return _sent("system", said, {"name": turn.name}) if said.has_text else None
        case UserTurn():
            said = read_parts(turn.content, f"{where}.content", _MEDIA)
            if not said.has_text and not said.media:
                raise InvalidField.named(f"{where}.content", "has no text")
            return _sent("user", said, {"name": turn.name})
        case ToolTurn():
            said = read_parts(turn.content, f"{where}.content", _MEDIA)
            return _sent("tool", said, {"tool_call_id": turn.tool_call_id})
        case AssistantTurn():
            return _answer(turn, where)


def _answer(turn: AssistantTurn, where: str) -> Content:
    said = ReadParts(turn.content) if turn.content is None else read_parts(turn.content, f"{where}.content", _TEXT)
    images = [read_image(image, f"{where}.images.{number}") for number, image in enumerate(turn.images or ())]
    calls = [call.model_dump(exclude={"index"}) for call in turn.tool_calls or ()]
    if not (said.has_text or images or calls or (turn.refusal or "").strip()):
        raise InvalidField.named(where, "has neither text nor tool calls; leave the message out")
    more = {
        "name": turn.name,
        "refusal": turn.refusal,
        "tool_calls": calls,
        "reasoning": turn.reasoning,
        "reasoning_details": turn.reasoning_details,
    }
    content = _sent("assistant", said, more)
    if not images:
        return content
    sent = [{"type": "image_url", "image_url": part["image_url"]} for part, _ in images]
    return Content([{**content.messages[0], "images": sent}], content.texts, [media for _, media in images])


def _sent(role: str, said: ReadParts, more: dict[str, Any]) -> Content:
    """The message; everything beside its content counts as JSON text, which is longer than what a model reads."""
    given = {name: value for name, value in more.items() if value}
    texts = [*said.texts, *([json.dumps(given, ensure_ascii=False)] if given else [])]
    return Content([{"role": role, "content": said.sent, **given}], texts or [""], said.media)


def _has_text(content: Any) -> bool:
    texts = [content] if isinstance(content, str) else [part["text"] for part in content or ()]
    return any(text.strip() for text in texts)
