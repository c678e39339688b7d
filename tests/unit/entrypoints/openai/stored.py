"""Stored responses, as executions have them."""

from typing import Any

from instant.domain.executions.delivery import stream_facts
from instant.domain.executions.output import Answer
from instant.domain.executions.receipt import Receipt
from instant.integrations.openrouter.message import raw_text, read_output

EXECUTION_ID = "exe_01JD0000000000000000000000"


def stored(output: dict[str, Any] | None = None, *, usage: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """Return a stored response with this output."""
    tokens = {"prompt_tokens": 3, "completion_tokens": 9}
    parts = {"cached_tokens": 1, "reasoning_tokens": 4, "image_tokens": None, "web_searches": None}
    return {
        "success": True,
        "execution_id": EXECUTION_ID,
        "output": output or {"type": "text", "content": "Hello."},
        "model": "juniper/quill-7b",
        "provider": "Meadow",
        "usage": {**tokens, **parts, "cost_usd": "0.000081", **(usage or {})},
        "finish_reason": "stop",
        **more,
    }


def stored_message(message: dict[str, Any], *, wants_json: bool = False, **more: Any) -> dict[str, Any]:
    """Return the stored response for a message of the model."""
    output = read_output(message, wants_json=wants_json)
    assert output is not None
    facts = stream_facts(Answer(output, Receipt(), text=raw_text(message, output)))
    return {**stored(dict(output), **more), **facts}
