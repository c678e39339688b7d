"""The structured reasoning of an answer as the opaque `encrypted_content` that clients send back."""

import base64
from typing import Any

from instant.domain.errors import InvalidField, Malformed, TooLarge
from instant.domain.json_values import utf8_text
from instant.entrypoints.http.body import read_json

_DETAILS = "reasoning_details"


def sealed(details: list[dict[str, Any]]) -> str:
    """The details as base64 of their JSON: opaque to clients, but not secret."""
    return base64.b64encode(utf8_text({_DETAILS: details}).encode()).decode()


def opened(text: str, where: str) -> list[dict[str, Any]]:
    """The details in `text`, read like a body; `InvalidField` names `where` if it is not one that this API wrote."""
    try:
        read = read_json(base64.b64decode(text, validate=True).decode())
    except (ValueError, InvalidField, Malformed, TooLarge):
        read = None
    details = read.get(_DETAILS) if isinstance(read, dict) else None
    if not isinstance(details, list) or not all(isinstance(detail, dict) for detail in details):
        raise InvalidField.named(where, "cannot be read; send back the reasoning item of a response unchanged")
    return details
