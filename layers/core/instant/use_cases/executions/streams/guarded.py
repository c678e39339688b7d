"""A listener whose errors do not reach the execution that it follows."""

import logging
from collections.abc import Callable

from instant.domain.executions.execution import Execution
from instant.domain.executions.output import Delta
from instant.domain.executions.prepared import Prepared
from instant.use_cases.executions.streams.listener import Listener

_log = logging.getLogger(__name__)


class GuardedListener(Listener):
    """Passes all reports on until one fails, then only that the execution goes on: it is paid for and recorded."""

    def __init__(self, listener: Listener) -> None:
        """Pass reports on to `listener`."""
        self._listener = listener
        self._has_failed = False

    def prepared(self, prepared: Prepared) -> None:
        """Pass the report on."""
        self._report(lambda: self._listener.prepared(prepared))

    def joined(self, execution: Execution) -> None:
        """Pass the report on."""
        self._report(lambda: self._listener.joined(execution))

    def started(self) -> None:
        """Pass the report on."""
        self._report(self._listener.started)

    def delta(self, delta: Delta) -> None:
        """Pass the report on."""
        self._report(lambda: self._listener.delta(delta))

    def image(self, path: str, media_type: str | None) -> None:
        """Pass the report on."""
        self._report(lambda: self._listener.image(path, media_type))

    def idle(self) -> None:
        """Pass the report on, also after a failure: the listener renews what would expire."""
        self._try(self._listener.idle)

    def _report(self, report: Callable[[], None]) -> None:
        if not self._has_failed:
            self._try(report)

    def _try(self, report: Callable[[], None]) -> None:
        try:
            report()
        except Exception as error:
            if not self._has_failed:
                _log.warning("a listener failed", extra={"error": type(error).__name__})
            self._has_failed = True
