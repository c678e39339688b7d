"""Synchronizes a test with a running function, which connects and waits until the test continues it."""

import socket
from contextlib import AbstractContextManager
from types import TracebackType

from tests.timeouts import HANG_SECONDS


class Arrival:
    """One function that waits for a message."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        connection.settimeout(HANG_SECONDS)
        assert connection.recv(4) == b"here"

    def go_on(self, word: str = "go") -> None:
        """Send this message to the function and wait until it has received it."""
        self._connection.sendall(word.encode())
        assert self._connection.recv(4) == b"done"
        self._connection.close()

    def died(self) -> bool:
        """Wait for the next data; return True if the process ended instead."""
        try:
            return self._connection.recv(4) == b""
        except ConnectionError:
            return True
        finally:
            self._connection.close()


class Meeting(AbstractContextManager["Meeting"]):
    """A port to which functions connect."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(HANG_SECONDS)
        self.port: int = self._listener.getsockname()[1]
        self.order = {"do": "wait", "port": self.port}

    def arrival(self) -> Arrival:
        """Wait for the next function that connects."""
        return Arrival(self._listener.accept()[0])

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()
