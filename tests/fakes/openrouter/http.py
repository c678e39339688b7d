"""The HTTP server of the fake: reads requests and writes replies piece by piece."""

import itertools
import select
import socket
import socketserver
import struct
import sys
import threading
import time
from collections.abc import Generator, Iterable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, override
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.fakes.openrouter.journal import Arrival, parse
from tests.fakes.openrouter.reply import HangUp, Piece, Reply, Reset
from tests.fakes.openrouter.routes import answer
from tests.fakes.openrouter.streams.holds import StreamHold
from tests.fakes.openrouter.world import World

_BODILESS = (204, 304)
# Seconds between two looks at a connection whose reply waits.
_POLL = 0.01


class Handler(BaseHTTPRequestHandler):
    """Handles one keep-alive connection."""

    server: "Listener"
    protocol_version = "HTTP/1.1"
    # Headers and body are sent in one write, because Nagle's algorithm delays a second small write.
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        arrival = self._read()
        world = self.server.world
        world.journal.arrived(arrival)
        try:
            self._send(answer(world, arrival), world.stopping)
        except HangUp:
            self.close_connection = True
        except Reset:
            self._reset()
        except OSError:
            self.close_connection = True
            world.journal.abandoned(arrival)

    def _read(self) -> Arrival:
        address = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        query, path = dict(parse_qsl(address.query)), unquote(address.path)
        return Arrival(self.command, path, query, headers, body, time.monotonic(), parse(body))

    def _send(self, reply: Reply, stopping: threading.Event) -> None:
        try:
            self._send_pieces(reply, self._released(reply.pieces, stopping))
        finally:
            # A stream learns from this that its reader has left.
            if isinstance(reply.pieces, Generator):
                reply.pieces.close()

    def _send_pieces(self, reply: Reply, pieces: Iterator[bytes]) -> None:
        whole = isinstance(reply.pieces, tuple)
        # The first piece is read before the headers are sent, so a reply that fails at once sends nothing.
        first = next(pieces, b"")
        chunked = not reply.raw and self._head(reply)
        for piece in itertools.chain([first], pieces):
            self._piece(piece, chunked)
            if not whole:
                self.wfile.flush()
        if chunked:
            self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()

    def _released(self, pieces: Iterable[Piece], stopping: threading.Event) -> Iterator[bytes]:
        """The bytes among the pieces, each after the events before it."""
        for piece in pieces:
            if isinstance(piece, bytes):
                yield piece
            else:
                self._wait(piece, stopping)

    def _wait(self, event: threading.Event, stopping: threading.Event) -> None:
        """Wait for the event; raise HangUp if the server stops first, OSError if the client disconnects."""
        if isinstance(event, StreamHold):
            event.reach()
        while not event.wait(_POLL):
            if stopping.is_set():
                raise HangUp
            if _has_left(self.connection):
                raise ConnectionAbortedError

    def _head(self, reply: Reply) -> bool:
        """Write status and headers; return whether the body is chunked."""
        chunked = reply.status not in _BODILESS and "Content-Length" not in reply.headers
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if chunked:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        return chunked

    def _piece(self, piece: bytes, chunked: bool) -> None:
        if piece:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)

    def _reset(self) -> None:
        """Close the connection with a TCP reset."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

    @override
    def version_string(self) -> str:
        return "cloudflare"

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing; the journal records the requests."""


class Listener(ThreadingHTTPServer):
    """A server with one thread per connection; `drop_all` closes all connections."""

    daemon_threads = True

    def __init__(self, port: int, world: World) -> None:
        self.world = world
        self._open: dict[socket.socket, Any] = {}
        self._changed = threading.Condition()
        super().__init__(("127.0.0.1", port), Handler)

    @override
    def process_request(self, request: Any, client_address: Any) -> None:
        with self._changed:
            self._open[request] = client_address
            self._changed.notify_all()
        super().process_request(request, client_address)

    @override
    def shutdown_request(self, request: Any) -> None:
        """Close without the default shutdown, which would send a FIN instead of a reset."""
        self.close_request(request)
        with self._changed:
            self._open.pop(request, None)
            self._changed.notify_all()

    def settle(self, timeout: float) -> None:
        """Finish with all that clients have sent, and close their connections, also those that are not accepted yet."""
        with socket.create_connection(("127.0.0.1", self.server_port)) as last:
            address = last.getsockname()
            with self._changed:
                is_accepted = self._changed.wait_for(lambda: address in self._open.values(), timeout)
            if not (is_accepted and self.drop_all(timeout)):
                raise TimeoutError("a connection to the fake OpenRouter did not end")

    def drop_all(self, timeout: float) -> bool:
        """Close every connection; return whether their threads have finished in time."""
        with self._changed:
            for connection in self._open:
                _cut(connection)
            return self._changed.wait_for(lambda: not self._open, timeout)

    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that disconnect; any other error is a bug of the fake and is printed."""
        if not isinstance(sys.exception(), OSError):
            socketserver.BaseServer.handle_error(self, request, client_address)


def _has_left(connection: socket.socket) -> bool:
    """Whether the client has closed its side."""
    readable, _, _ = select.select([connection], [], [], 0)
    return bool(readable) and not connection.recv(1, socket.MSG_PEEK)


def _cut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
