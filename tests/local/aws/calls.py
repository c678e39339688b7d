"""What every function asked of AWS, in the order it was asked."""

import threading


class Calls:
    """A record of `(function, service, operation)`, refused calls included."""

    def __init__(self) -> None:
        """Starts empty."""
        self._lock = threading.Lock()
        self._made: list[tuple[str, str, str]] = []

    def add(self, function: str, service: str, operation: str) -> None:
        """Records one call."""
        with self._lock:
            self._made.append((function, service, operation))

    @property
    def made(self) -> list[tuple[str, str, str]]:
        """All calls since the start or the last `clear`."""
        with self._lock:
            return list(self._made)

    def of(self, function: str) -> list[tuple[str, str]]:
        """One function's calls: service and operation."""
        return [(service, operation) for name, service, operation in self.made if name == function]

    def clear(self) -> None:
        """Forgets everything."""
        with self._lock:
            self._made.clear()
