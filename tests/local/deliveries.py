"""Asynchronous invocations: in flight until a function succeeds or has failed three times."""

import sys
import threading
from collections.abc import Callable

from tests.local.invocation import PAYLOAD_LIMIT, EventTooLarge, Outcome

ATTEMPTS = 3
"""Lambda's own: one try and two retries. Lambda waits a minute or two in between, the local stack does not."""


class Deliveries:
    """Events on their way to functions."""

    def __init__(self, invoke: Callable[[str, bytes], Outcome]) -> None:
        """Delivers with `invoke`, which waits for the outcome."""
        self._invoke = invoke
        self._in_flight = 0
        self._changed = threading.Condition()

    def submit(self, function: str, event: bytes) -> None:
        """Starts a delivery and returns; EventTooLarge if the event is over 6 MB."""
        if len(event) > PAYLOAD_LIMIT:
            raise EventTooLarge
        with self._changed:
            self._in_flight += 1
        threading.Thread(target=self._deliver, args=(function, event), daemon=True).start()

    def settle(self, timeout: float) -> None:
        """Waits until nothing is in flight; a TimeoutError says how much still is."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._in_flight == 0, timeout):
                raise TimeoutError(f"{self._in_flight} asynchronous deliveries are still in flight")

    def _deliver(self, function: str, event: bytes) -> None:
        try:
            outcomes = (self._invoke(function, event) for _ in range(ATTEMPTS))
            if all(outcome.failed for outcome in outcomes):
                print(f"{function} failed {ATTEMPTS} times: event dropped", file=sys.stderr)
        finally:
            with self._changed:
                self._in_flight -= 1
                self._changed.notify_all()
