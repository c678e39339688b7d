"""The lease of the catalog sync."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from instant.domain.catalog.model import SyncRecord


@dataclass(frozen=True, slots=True)
class Taken:
    """A lease that was taken, and what the last successful sync noted."""

    last: SyncRecord | None


class SyncLease(Protocol):
    """Who may sync, and what the last sync did: one row."""

    def take(self, holder: str, now: datetime, until: datetime) -> Taken | None:
        """Begin, unless another holder's lease still runs (None). The last list's validator counts no more."""

    def finish(self, holder: str, record: SyncRecord) -> None:
        """Note a successful sync, after its last row, and end the lease."""

    def drop(self, holder: str) -> None:
        """End the lease of a sync that failed."""
