"""Records the AWS API calls of the functions, in order."""

import threading


class Calls:
    """A thread-safe list of `(function, service, operation)`, including denied calls."""

    def __init__(self) -> None:
        """Start empty."""
        self._lock = threading.Lock()
        self._made: list[tuple[str, str, str]] = []

    def add(self, function: str, service: str, operation: str) -> None:
        """Record one call."""
        with self._lock:
            self._made.append((function, service, operation))

    @property
    def made(self) -> list[tuple[str, str, str]]:
        """All calls since the start or the last `clear`."""
        with self._lock:
            return list(self._made)

    def of(self, function: str) -> list[tuple[str, str]]:
        """The calls of one function, as `(service, operation)`."""
        return [(service, operation) for name, service, operation in self.made if name == function]

    def clear(self) -> None:
        """Delete all records."""
        with self._lock:
            self._made.clear()
