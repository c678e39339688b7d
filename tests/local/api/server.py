"""A threaded HTTP server on 127.0.0.1 with low latency and a fast shutdown."""

import logging
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler
from typing import Any, cast

from tests.local.api.body import Body

type Headers = list[tuple[str, str]]


@dataclass(frozen=True)
class Request:
    """One HTTP request; `target` is the raw path and query, `oversized` means that the body was discarded.

    A body that is read while it arrives is a `stream` instead.
    """

    method: str
    target: str
    headers: Headers
    body: bytes
    oversized: bool = False
    stream: Body | None = None

    @property
    def path(self) -> str:
        """The path, still percent-encoded."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """The query string, without the question mark."""
        return self.target.partition("?")[2]

    def header(self, name: str) -> str | None:
        """The last header of this name, case-insensitive."""
        wanted = name.lower()
        return next((value for key, value in reversed(self.headers) if key.lower() == wanted), None)


@dataclass(frozen=True)
class Answer:
    """One HTTP response; Content-Length is added if it is missing. A body in `pieces` is sent in chunks instead."""

    status: int
    headers: Headers = field(default_factory=list)
    body: bytes = b""
    pieces: Iterator[bytes] | None = None


class Handler(BaseHTTPRequestHandler):
    """Reads a request, gets the response from the server, and writes it with one flush."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # by default, each header is a separate packet that waits for an acknowledgement
    disable_nagle_algorithm = True

    def handle_one_request(self) -> None:
        """Handle one request; `http.server` calls this until the connection closes."""
        with suppress(ConnectionError, TimeoutError):
            self.raw_requestline = self.rfile.readline(65537)
            if self.raw_requestline and self.parse_request():
                self._send(cast(Server, self.server).reply(self._read()))
                return
        self.close_connection = True

    def handle_expect_100(self) -> bool:
        """Flush the 100 Continue at once, because S3 clients wait up to a second for it."""
        self.send_response_only(100)
        self.end_headers()
        self.wfile.flush()
        return True

    def _read(self) -> Request:
        server, parts = cast(Server, self.server), Body(self.rfile, self.headers)
        headers = [(key, value) for key, value in self.headers.items() if key.lower() != "transfer-encoding"]
        if server.streams(self.headers):
            return Request(self.command, self.path, headers, b"", stream=parts)
        body, size = bytearray(), 0
        for part in parts:
            size += len(part)
            if size <= server.max_body:
                body += part
        oversized = size > server.max_body
        return Request(self.command, self.path, headers, b"" if oversized else bytes(body), oversized)

    def _send(self, answer: Answer) -> None:
        self.send_response_only(answer.status)
        names = {name.lower() for name, _ in answer.headers}
        for name, value in answer.headers:
            self.send_header(name, value)
        if answer.pieces is not None:
            self._send_pieces(answer.pieces)
            return
        if "content-length" not in names and answer.status not in (204, 304):
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)
        self.wfile.flush()

    def _send_pieces(self, pieces: Iterator[bytes]) -> None:
        """Send each piece as it comes; if the next one fails, the connection is closed before the end of the body."""
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.flush()
        for piece in pieces:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()

    def log_message(self, *_: Any) -> None:
        """Log nothing; the functions have their own logs."""


class Server(socketserver.ThreadingTCPServer):
    """Serves `answer` on 127.0.0.1 as soon as it is created; bodies over `max_body` are read and discarded.

    `answer` can be replaced while the server runs.
    """

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self,
        answer: Callable[[Request], Answer],
        port: int = 0,
        max_body: int = 1 << 40,
        streams: Callable[[Message], bool] = lambda headers: False,
    ) -> None:
        """Bind the port and start; raises OSError if the port is in use.

        Requests whose headers fulfil `streams` are answered while their bodies arrive.
        """
        super().__init__(("127.0.0.1", port), Handler)
        self.max_body = max_body
        self.streams = streams
        self.port: int = self.server_address[1]
        self.answer = answer
        self._open: set[socket.socket] = set()
        self._stopping = False
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def reply(self, request: Request) -> Answer:
        """The response; an unexpected error is logged and returned as a 500."""
        try:
            return self.answer(request)
        except ConnectionError:
            raise  # the backend has stopped, so the connection is closed
        except Exception:
            logging.getLogger(__name__).exception("request failed: %s %s", request.method, request.target)
            return Answer(500, [("Content-Type", "text/plain")], b"The local stack failed: see its log.")

    def stop(self) -> None:
        """Close the port and every open connection."""
        if self._stopping:
            return
        self._stopping = True
        with suppress(OSError):  # a new connection wakes the accepting thread
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        self._thread.join()
        self.server_close()
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while not self._stopping:
            self.handle_request()

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Reject new connections while stopping."""
        return not self._stopping

    def process_request(self, request: Any, client_address: Any) -> None:
        """Track the connection, so that `stop` can close it."""
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Stop tracking a closed connection."""
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore broken connections, which killed processes leave."""
