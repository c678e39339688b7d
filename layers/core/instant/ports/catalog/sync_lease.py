"""The lease of the catalog sync."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from instant.domain.catalog.model import SyncRecord


@dataclass(frozen=True, slots=True)
class Taken:
    """An acquired lease, and the record of the last successful sync."""

    last: SyncRecord | None


class SyncLease(Protocol):
    """The lease of the sync, and the record of the last sync, in one row."""

    def take(self, holder: str, now: datetime, until: datetime) -> Taken | None:
        """Acquire the lease, or return None while another holder has it. Invalidates the last list's validator."""

    def finish(self, holder: str, record: SyncRecord) -> None:
        """Record a successful sync after all its rows are written, and release the lease."""

    def drop(self, holder: str) -> None:
        """Release the lease of a failed sync."""
