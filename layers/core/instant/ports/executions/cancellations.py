"""Cancellations of executions."""

from typing import Protocol


class Cancellations(Protocol):
    """Asks running executions to stop."""

    def request(self, execution_id: str, user_id: str, now: str) -> bool:
        """Ask a streamed execution of this user that has not ended to stop; whether there is one; idempotent."""
