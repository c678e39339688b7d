"""The lease of the catalog sync, and its runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from instant.domain.catalog.model import SyncRecord
from instant.domain.catalog.sync_run import SyncOrder, SyncRun


@dataclass(frozen=True, slots=True)
class QueuedOrder:
    """An order that a sync left for the next one; later orders have another id."""

    order_id: str
    order: SyncOrder


@dataclass(frozen=True, slots=True)
class Taken:
    """An acquired lease, the record of the last successful sync, and an order that is waiting."""

    last: SyncRecord | None
    queued: QueuedOrder | None = None


class SyncLease(Protocol):
    """The lease of the sync, the record of the last sync and a waiting order, in one row."""

    def take(self, holder: str, now: datetime, until: datetime) -> Taken | None:
        """Acquire the lease, or return None while another holder has it. Invalidates the last list's validator."""

    def queue(self, order_id: str, order: SyncOrder, now: datetime) -> bool:
        """Leave an order for the next sync while another holder has the lease; False if it is free."""

    def unqueue(self, order_id: str) -> None:
        """Remove the order that is waiting, unless there is a later one."""

    def finish(self, holder: str, record: SyncRecord) -> QueuedOrder | None:
        """Record a successful sync after all its rows are written, and release the lease; returns a waiting order."""

    def drop(self, holder: str) -> QueuedOrder | None:
        """Release the lease of a failed sync; returns a waiting order."""


class SyncRuns(Protocol):
    """The last runs of the sync."""

    def add(self, run: SyncRun) -> None:
        """Record a run."""


class SyncStatus(Protocol):
    """What admins see of the sync."""

    def last(self) -> Sequence[SyncRun]:
        """The last runs, newest first."""
