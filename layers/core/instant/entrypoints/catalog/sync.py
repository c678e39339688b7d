"""Asking for a catalog sync: the body, the answer and the event."""

from collections.abc import Mapping
from typing import Any, Literal, TypedDict

from pydantic import Field

from instant.entrypoints.http.fields import Body

SYNC_EVENT = "openrouter/models.sync"
"""The event that asks for a catalog sync."""


class SyncOrder(Body):
    """How to sync: what an admin lets pass this once."""

    accept_losses: bool = Field(False, description="Lose more models than the guard allows.")
    accept_prices: bool = Field(False, description="Believe every price as it is announced.")


class AcceptedSync(TypedDict):
    """A sync that was asked for."""

    accepted: Literal[True]
    accept_losses: bool
    accept_prices: bool


def accepts(event: Mapping[str, Any], what: str) -> bool:
    """Whether a sync may let `what` pass: only an event that says so, never the schedule."""
    detail = event.get("detail")
    return event.get("detail-type") == SYNC_EVENT and isinstance(detail, dict) and detail.get(what) is True
