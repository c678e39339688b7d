"""A TCP proxy that closes the connection of its client before or inside a response."""

import socket
import socketserver
import threading
from types import TracebackType
from typing import Self, override
from urllib.parse import urlsplit

_RECEIVED = 65_536
_END_OF_HEADERS = b"\r\n\r\n"


class CuttingProxy:
    """Forwards to the host of `url`; cuts the first response off.

    It is cut off before its first byte, or after its headers and so many bytes of its body.
    """

    def __init__(self, url: str, body_bytes: int | None = None) -> None:
        parts = urlsplit(url)
        self._server = _Server((parts.hostname or "", parts.port or 0), body_bytes)
        self._path = parts.path
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.005,), daemon=True)

    @property
    def url(self) -> str:
        """The URL of the proxy, with the path of the original."""
        return f"http://127.0.0.1:{self._server.server_address[1]}{self._path}"

    @property
    def has_cut(self) -> bool:
        """Whether a response was cut off."""
        return self._server.has_cut

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, target: tuple[str, int], body_bytes: int | None) -> None:
        self.target, self.body_bytes, self.has_cut = target, body_bytes, False
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", 0), _Connection)

    def is_first(self) -> bool:
        """Whether this response is the one to cut off."""
        with self._lock:
            first, self.has_cut = not self.has_cut, True
            return first


class _Connection(socketserver.BaseRequestHandler):
    server: _Server

    @override
    def handle(self) -> None:
        with socket.create_connection(self.server.target) as upstream:
            threading.Thread(target=self._forward_request, args=(upstream,), daemon=True).start()
            try:
                self._forward_response(upstream)
            except OSError:
                return

    def _forward_request(self, upstream: socket.socket) -> None:
        try:
            while received := self.request.recv(_RECEIVED):
                upstream.sendall(received)
            upstream.shutdown(socket.SHUT_WR)
        except OSError:
            return

    def _forward_response(self, upstream: socket.socket) -> None:
        received = upstream.recv(_RECEIVED)
        if received and self.server.is_first():
            self.request.sendall(self._beginning(upstream, received))
            return
        while received:
            self.request.sendall(received)
            received = upstream.recv(_RECEIVED)

    def _beginning(self, upstream: socket.socket, received: bytes) -> bytes:
        """What is forwarded of the response that is cut off."""
        if self.server.body_bytes is None:
            return b""
        while True:
            head, end, body = received.partition(_END_OF_HEADERS)
            more = not end or len(body) < self.server.body_bytes
            if not more or not (piece := upstream.recv(_RECEIVED)):
                return head + end + body[: self.server.body_bytes]
            received += piece
