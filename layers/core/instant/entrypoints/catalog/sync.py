"""The catalog sync over HTTP: its request and response bodies, and its event."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any, Literal, TypedDict, cast

from pydantic import Field

from instant.domain.catalog.sync_run import SYNC_EVENT, SyncOutcome, SyncRun
from instant.entrypoints.http.fields import Body, Time


class SyncOrder(Body):
    """Options of a sync: the checks that an admin disables for one run."""

    accept_losses: bool = Field(False, description="Lose more models than the guard allows.")
    accept_prices: bool = Field(False, description="Believe every price as it is announced.")


class AcceptedSync(TypedDict):
    """A requested sync. If another one is running, it runs after that."""

    accepted: Literal[True]
    accept_losses: bool
    accept_prices: bool


class SyncRunView(TypedDict):
    """One run of the sync, with counts in models."""

    run_id: str
    started_at: Time
    finished_at: Time
    accept_losses: bool
    accept_prices: bool
    outcome: Annotated[SyncOutcome, Field(description="`refused`: the catalog failed validation; nothing was changed.")]
    reason: Annotated[str | None, Field(description="Why it was refused or failed.")]
    seen: int
    written: int
    added: int
    missing: int
    removed: int
    returned: int
    repriced: int
    held: int
    held_models: Annotated[list[str], Field(description="Models with a newly held price, at most 20.")]
    skipped: Annotated[
        dict[str, str], Field(description="Rows that were not used, by model, with the reason, at most 20.")
    ]
    left_out: Annotated[
        dict[str, int],
        Field(description="In how many rows a field was left out since its shape is unknown, at most 20 fields."),
    ]


def sync_run_view(run: SyncRun) -> SyncRunView:
    """One run of the sync."""
    facts = {**asdict(run), **asdict(run.order), **asdict(run.result), "held_models": list(run.held)}
    return cast(SyncRunView, {name: facts[name] for name in SyncRunView.__annotations__})


def accepts(event: Mapping[str, Any], what: str) -> bool:
    """Whether a sync may skip the check `what`: only if its event says so, never for the schedule."""
    detail = event.get("detail")
    return is_ordered(event) and isinstance(detail, dict) and detail.get(what) is True


def is_ordered(event: Mapping[str, Any]) -> bool:
    """Whether an admin ordered the sync."""
    return event.get("detail-type") == SYNC_EVENT
