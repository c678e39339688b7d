"""What a streamed execution does once in a while: report that it is alive, renew its lease, look for a cancellation."""

import logging
from datetime import timedelta

from instant.domain.clock import RENEWAL_SECONDS, STREAM_LEASE_SECONDS, Every, format_time
from instant.domain.executions.execution import Opening
from instant.domain.executions.failure import Effect, Failure
from instant.use_cases.executions.deps import LedgerDeps
from instant.use_cases.executions.streams.cancel import cancelled
from instant.use_cases.executions.streams.listener import Listener

LOOK_SECONDS = 2.0
"""Seconds between two looks at the row: after about this time, an execution that was cancelled ends."""

_log = logging.getLogger(__name__)


class Watch:
    """Watches over one execution that was sent; the row and its lease are those of the ledger.

    A look or a renewal that fails is logged, and the execution goes on: it may have been charged.
    """

    def __init__(self, opening: Opening, listener: Listener, deps: LedgerDeps) -> None:
        """Begin now, when the lease was acquired."""
        self._opening, self._listener, self._deps = opening, listener, deps
        self._renewal = Every(RENEWAL_SECONDS, deps.clock.monotonic)
        self._look = Every(LOOK_SECONDS, deps.clock.monotonic)

    def tick(self) -> None:
        """Do what is due; to be called about once a second. Raises a `Failure` if the execution was cancelled."""
        self._listener.idle()
        if self._renewal.is_due():
            self._renew()
        if self._look.is_due() and self._is_cancelled():
            raise Failure(cancelled(self._opening.execution_id), effect=Effect.UNKNOWN)

    def _renew(self) -> None:
        lease_expires_at = format_time(self._deps.clock.now() + timedelta(seconds=STREAM_LEASE_SECONDS))
        try:
            self._deps.ledger.renew(self._opening, lease_expires_at)
        except Exception as error:
            self._warn("the lease of an execution was not renewed", error)

    def _is_cancelled(self) -> bool:
        try:
            return self._deps.executions.is_cancelled(self._opening.execution_id)
        except Exception as error:
            self._warn("a cancellation could not be looked for", error)
            return False

    def _warn(self, text: str, error: Exception) -> None:
        facts = {"execution_id": self._opening.execution_id, "error": type(error).__name__}
        _log.warning(text, extra=facts)
