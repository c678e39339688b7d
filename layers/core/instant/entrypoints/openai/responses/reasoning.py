"""The structured reasoning of an answer as the opaque `encrypted_content` that clients send back."""

import base64
import json
from typing import Any

from instant.domain.errors import InvalidField
from instant.domain.json_values import utf8_text


def sealed(details: list[dict[str, Any]]) -> str:
    """The details as base64 of their JSON: opaque to clients, but not secret."""
    return base64.b64encode(utf8_text(details).encode()).decode()


def opened(text: str, where: str) -> list[dict[str, Any]]:
    """The details in `text`; `InvalidField` names `where` if it is not one that this API wrote."""
    try:
        details = json.loads(base64.b64decode(text, validate=True))
    except (ValueError, RecursionError):
        details = None
    if not isinstance(details, list) or not all(isinstance(detail, dict) for detail in details):
        raise InvalidField.named(where, "cannot be read; send back the reasoning item of a response unchanged")
    return details
