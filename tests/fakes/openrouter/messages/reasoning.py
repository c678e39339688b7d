"""Reasoning details as each provider returns them, with signatures that it checks in later turns."""

import base64
from collections.abc import Sequence
from hashlib import sha512

from tests.fakes.openrouter.exact_json import Json
from tests.fakes.openrouter.faults import USER_ID, error

CLAUDE = "anthropic-claude-v1"
OPENAI = "openai-responses-v1"


def signature(text: str) -> str:
    """The signature of a reasoning text."""
    return base64.b64encode(sha512(text.encode()).digest()).decode()


def details(text: str, model: Json) -> list[Json]:
    """The `reasoning_details` of a model: signed text, a summary with encrypted data, or text alone."""
    tokenizer = model["architecture"].get("tokenizer")
    if tokenizer == "Claude":
        return [{"type": "reasoning.text", "text": text, "signature": signature(text), "format": CLAUDE, "index": 0}]
    if tokenizer == "GPT":
        encrypted = {"type": "reasoning.encrypted", "data": signature(text), "id": f"rs_{len(text)}"}
        return [
            {"type": "reasoning.summary", "summary": text, "format": OPENAI, "index": 0},
            {**encrypted, "format": OPENAI, "index": 0},
        ]
    return [plain_detail(text)]


def plain_detail(text: str) -> Json:
    """A detail without a signature."""
    return {"type": "reasoning.text", "text": text, "format": None, "index": 0}


def check_signatures(messages: Sequence[Json], model: Json) -> None:
    """Raise 400 for a signed text that was changed or has lost its signature."""
    if model["architecture"].get("tokenizer") != "Claude":
        return
    for number, message in enumerate(messages):
        for place, detail in enumerate(message.get("reasoning_details") or []):
            text = detail.get("text")
            if detail.get("format") == CLAUDE and text and detail.get("signature") != signature(text):
                raise _rejected(f"messages.{number}.content.{place}: Invalid `signature` in `thinking` block")


def _rejected(raw: str) -> Exception:
    metadata = {"raw": raw, "provider_name": "Amazon Bedrock"}
    return error(400, "Provider returned error", metadata=metadata, user_id=USER_ID)
