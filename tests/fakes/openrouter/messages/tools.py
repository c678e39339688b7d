"""Tool calls of earlier turns and their results."""

from collections.abc import Sequence

from tests.fakes.openrouter.exact_json import Json
from tests.fakes.openrouter.faults import USER_ID, error


def results(messages: Sequence[Json]) -> list[str]:
    """The results of tools at the end of the messages: what the model was waiting for."""
    ends: list[str] = []
    for message in reversed(messages):
        if message.get("role") != "tool":
            break
        ends.append(text_of(message.get("content")))
    return ends[::-1]


def check_results(messages: Sequence[Json]) -> None:
    """Raise 400 unless each tool call is followed by its result, and each result follows its call."""
    pending: list[str] = []
    for message in messages:
        if message.get("role") == "tool":
            if message.get("tool_call_id") not in pending:
                raise _rejected("messages with role 'tool' must be a response to a preceding message with 'tool_calls'")
            pending.remove(message["tool_call_id"])
        else:
            _check_answered(pending)
            pending = [call["id"] for call in message.get("tool_calls") or []]
    _check_answered(pending)


def text_of(content: object) -> str:
    """The text in a message's content, whether a string or a list of parts."""
    if isinstance(content, list):
        return "\n".join(str(part["text"]) for part in content if "text" in part)
    return str(content or "")


def _check_answered(pending: Sequence[str]) -> None:
    if pending:
        missing = ", ".join(pending)
        raise _rejected(f"'tool_calls' must be followed by messages for each 'tool_call_id'; missing: {missing}")


def _rejected(raw: str) -> Exception:
    metadata = {"raw": raw, "provider_name": "Meadow"}
    return error(400, "Provider returned error", metadata=metadata, user_id=USER_ID)
