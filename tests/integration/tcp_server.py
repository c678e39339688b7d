"""A TCP server on loopback that responds with exact bytes."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from tests.timeouts import HANG_SECONDS


@contextmanager
def tcp_server(respond: Callable[[socket.socket, int], None]) -> Iterator[tuple[str, list[bytes]]]:
    """Serve one request per connection, record it, and call `respond` with its number."""
    received: list[bytes] = []
    opened: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                opened.append(connection)
                with connection:
                    received.append(connection.recv(65_536))
                    respond(connection, len(received))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", received
        for each in (listener, *opened):
            with suppress(OSError):  # the connection may be closed already
                each.shutdown(socket.SHUT_RDWR)
    thread.join(HANG_SECONDS)
