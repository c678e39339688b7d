"""Runs of the catalog sync as admins see them, and orders of a sync."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

SYNC_EVENT = "openrouter/models.sync"
"""The event that requests a catalog sync."""

MAX_RUNS = 20
"""The number of runs that are kept."""

MAX_NAMES = 20
"""Maximum number of models and fields that the record of a run names, in each list."""

MAX_CHARACTERS = 200
"""Maximum length of a reason and of a name in the record of a run."""


class SyncOutcome(StrEnum):
    """The result of a sync.

    `refused` means that validation failed, and `failed` that an error occurred; no model was removed. A sync that meets
    another one is `busy`, or `queued` if it was ordered: then it runs after the other.
    """

    SYNCED = "synced"
    UNCHANGED = "unchanged"
    REFUSED = "refused"
    FAILED = "failed"
    BUSY = "busy"
    QUEUED = "queued"


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncOrder:
    """The checks that an admin disables for one run."""

    accept_losses: bool = False
    accept_prices: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncResult:
    """The counts of a sync, in models."""

    outcome: SyncOutcome = SyncOutcome.SYNCED
    seen: int = 0
    written: int = 0
    added: int = 0
    missing: int = 0
    removed: int = 0
    returned: int = 0
    repriced: int = 0
    held: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncRun:
    """One run: its result, why it was refused, and what was held, skipped or left out.

    `held` are the models with a newly held price. `skipped` has the rows that were not used, by model, with the reason;
    `left_out` the number of rows in which a field was left out, by field. Each names at most `MAX_NAMES`.
    """

    run_id: str
    started_at: str
    finished_at: str
    order: SyncOrder
    result: SyncResult
    reason: str | None = None
    held: tuple[str, ...] = ()
    skipped: Mapping[str, str] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)


def names(models: Iterable[str]) -> tuple[str, ...]:
    """As many names as the record of a run has, each cut."""
    return tuple(sorted(cut(model) for model in models)[:MAX_NAMES])


def few[Value](facts: Mapping[str, Value]) -> dict[str, Value]:
    """As many facts as the record of a run has, by name, each name cut."""
    return {cut(name): facts[name] for name in sorted(facts)[:MAX_NAMES]}


def cut(text: str) -> str:
    """The beginning of a text."""
    return text[:MAX_CHARACTERS]
