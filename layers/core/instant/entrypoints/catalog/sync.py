"""Requesting a catalog sync: request body, response body and event."""

from collections.abc import Mapping
from typing import Any, Literal, TypedDict

from pydantic import Field

from instant.entrypoints.http.fields import Body

SYNC_EVENT = "openrouter/models.sync"
"""The event that requests a catalog sync."""


class SyncOrder(Body):
    """Options of a sync: the checks that an admin disables for one run."""

    accept_losses: bool = Field(False, description="Lose more models than the guard allows.")
    accept_prices: bool = Field(False, description="Believe every price as it is announced.")


class AcceptedSync(TypedDict):
    """A requested sync."""

    accepted: Literal[True]
    accept_losses: bool
    accept_prices: bool


def accepts(event: Mapping[str, Any], what: str) -> bool:
    """Whether a sync may skip the check `what`: only if its event says so, never for the schedule."""
    detail = event.get("detail")
    return event.get("detail-type") == SYNC_EVENT and isinstance(detail, dict) and detail.get(what) is True
