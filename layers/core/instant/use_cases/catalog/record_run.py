"""Record the runs of the catalog sync for admins; a failure to record does not fail the sync."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from instant.domain.catalog.sync_plan import Fetched
from instant.domain.catalog.sync_run import SyncOrder, SyncOutcome, SyncResult, SyncRun, cut, few, names
from instant.domain.clock import format_time
from instant.domain.errors import InstantError
from instant.ports.catalog.sync_lease import SyncRuns
from instant.ports.clock import Clock
from instant.use_cases.catalog.fetch import SyncRefused

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RunRecorder:
    """Records one run when it ends."""

    runs: SyncRuns
    clock: Clock
    run_id: str
    started_at: str
    order: SyncOrder

    def finished(self, result: SyncResult, fetched: Fetched | None, held: Sequence[str]) -> None:
        """Record a run that succeeded, with what it held, skipped and left out."""
        skipped = {name or "(no id)": reason for name, reason in fetched.skipped} if fetched else {}
        left_out = fetched.left_out if fetched else {}
        self._add(result=result, held=names(held), skipped=few(skipped), left_out=few(left_out))

    def failed(self, error: Exception) -> None:
        """Record a run that was refused or failed; the message of an unexpected error may contain anything."""
        is_known = isinstance(error, SyncRefused | InstantError)
        outcome = SyncOutcome.REFUSED if isinstance(error, SyncRefused) else SyncOutcome.FAILED
        self._add(result=SyncResult(outcome=outcome), reason=cut(str(error)) if is_known else type(error).__name__)

    def _add(self, **facts: Any) -> None:
        try:
            self.runs.add(
                SyncRun(
                    run_id=self.run_id,
                    started_at=self.started_at,
                    finished_at=format_time(self.clock.now()),
                    order=self.order,
                    **facts,
                )
            )
        except Exception:
            _log.exception("a run of the catalog sync was not recorded")
