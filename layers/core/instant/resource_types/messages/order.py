"""The order of messages that every provider demands: each tool call is answered before the conversation goes on."""

from collections.abc import Sequence

from instant.domain.errors import InvalidField
from instant.resource_types.messages.turns import AssistantTurn, SystemTurn, ToolTurn, UserTurn

_UNANSWERED = "must each be answered by one tool message, before any other message"
_NOT_ASKED = "is not the id of an unanswered tool call of the assistant message before it"


def check_order(turns: Sequence[SystemTurn | UserTurn | AssistantTurn | ToolTurn], where: str) -> None:
    """Reject an order that providers reject; `InvalidField` names the message below `where`."""
    asked, asked_at = set[str](), 0
    for number, turn in enumerate(turns):
        if isinstance(turn, ToolTurn):
            if turn.tool_call_id not in asked:
                raise InvalidField.named(f"{where}.{number}.tool_call_id", _NOT_ASKED)
            asked.remove(turn.tool_call_id)
            continue
        if asked:
            raise InvalidField.named(f"{where}.{asked_at}.tool_calls", _UNANSWERED)
        if isinstance(turn, AssistantTurn):
            asked, asked_at = _ids(turn, f"{where}.{number}"), number
    if asked:
        raise InvalidField.named(f"{where}.{asked_at}.tool_calls", _UNANSWERED)
    if not any(isinstance(turn, SystemTurn | UserTurn) for turn in turns):
        raise InvalidField.named(where, "must contain a message of the user")


def _ids(turn: AssistantTurn, where: str) -> set[str]:
    ids = [call.id for call in turn.tool_calls or ()]
    for number, call_id in enumerate(ids):
        if call_id in ids[:number]:
            raise InvalidField.named(
                f"{where}.tool_calls.{number}.id", "is also the id of another call in this message"
            )
    return set(ids)
