"""The text of the last user message, for resources that take one text instead of a conversation."""

from typing import Any

from instant.domain.errors import InvalidField
from instant.resource_types.messages.parts import read_parts

_TEXT = ("text",)


def last_user_text(messages: Any, where: str) -> str:
    """The text of the last user message; raises `InvalidField` for instructions, and for anything but text in it."""
    turns = [message if isinstance(message, dict) else {} for message in messages] if isinstance(messages, list) else []
    for number, turn in enumerate(turns):
        if turn.get("role") in ("system", "developer"):
            problem = f"is {turn['role']}, and this resource takes no instructions from callers; leave the message out"
            raise InvalidField.named(f"{where}.{number}.role", problem)
    for number, turn in reversed([*enumerate(turns)]):
        if turn.get("role") == "user":
            return "".join(read_parts(turn.get("content"), f"{where}.{number}.content", _TEXT).texts)
    raise InvalidField.named(where, "has no user message")
