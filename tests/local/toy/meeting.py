"""Where a test and a running function meet: the function reports, and goes on when the test says so."""

import socket
from contextlib import AbstractContextManager
from types import TracebackType

from tests.timeouts import HANG_SECONDS


class Arrival:
    """One function, waiting for a word."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        connection.settimeout(HANG_SECONDS)
        assert connection.recv(4) == b"here"

    def go_on(self, word: str = "go") -> None:
        """Lets it go on with this word, and waits until it has."""
        self._connection.sendall(word.encode())
        assert self._connection.recv(4) == b"done"
        self._connection.close()

    def died(self) -> bool:
        """Waits for its next sign of life; whether there was none, because its process ended."""
        try:
            return self._connection.recv(4) == b""
        except ConnectionError:
            return True
        finally:
            self._connection.close()


class Meeting(AbstractContextManager["Meeting"]):
    """A port on which functions arrive."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(HANG_SECONDS)
        self.port: int = self._listener.getsockname()[1]
        self.order = {"do": "wait", "port": self.port}

    def arrival(self) -> Arrival:
        """The next function that arrives."""
        return Arrival(self._listener.accept()[0])

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()
