"""What events ask for."""

from collections.abc import Mapping
from typing import Any

SYNC_EVENT = "openrouter/models.sync"
"""The event that asks for a catalog sync."""


def accepts(event: Mapping[str, Any], what: str) -> bool:
    """Whether a sync may let `what` pass: only an event that says so, never the schedule."""
    detail = event.get("detail")
    return event.get("detail-type") == SYNC_EVENT and isinstance(detail, dict) and detail.get(what) is True
