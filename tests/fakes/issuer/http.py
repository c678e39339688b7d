"""The HTTP server of the issuer, with one connection per response and optional faults."""

import socketserver
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, override

FAULTS = ("down", "error", "missing", "garbage", "list", "empty", "drip", "redirect", "huge", "compressed")
"""No response, 500, 404, HTML, JSON of a wrong shape, no keys, endless body, redirect, oversized body, gzip."""

_INVALID_BODIES = {
    "garbage": b"<html>Sign in</html>",
    "list": b'[{"keys": 1}]',
    "empty": b'{"keys": []}',
    "compressed": b"?",
}
_STATUS = {"error": 500, "missing": 404, "redirect": 302}
_POLL = 0.005


class Handler(BaseHTTPRequestHandler):
    """Handles one request."""

    server: "Listener"

    def do_GET(self) -> None:
        """Respond with the document, or with the current fault."""
        server, fault = self.server, self.server.fault
        server.asked.append(self.path)
        if fault == "down":
            return
        document = server.document(self.path.removeprefix("/elsewhere"))
        self.send_response(_STATUS.get(fault or "", 200 if document else 404))
        self.send_header("Content-Type", "application/json")
        if fault == "redirect":
            self.send_header("Location", f"/elsewhere{self.path}")
        if fault == "compressed":
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        self._write(fault, _INVALID_BODIES.get(fault or "", document or b"{}"))

    def _write(self, fault: str | None, body: bytes) -> None:
        if fault == "huge":
            body = body[:-1] + b', "more": "' + b"x" * 4_000_000 + b'"}'
        if fault == "drip":
            while not self.server.stopping.wait(0.01):
                self.wfile.write(b" ")
        self.wfile.write(body)

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""


class Listener(ThreadingHTTPServer):
    """A server with one thread per request."""

    daemon_threads = False  # `stop` waits for them

    def __init__(self, document: Callable[[str], bytes | None]) -> None:
        """Bind a free port."""
        self.document = document
        self.fault: str | None = None
        self.asked: list[str] = []
        self.stopping = threading.Event()
        self._thread = threading.Thread(target=self.serve_forever, args=(_POLL,), daemon=True)
        super().__init__(("127.0.0.1", 0), Handler)

    def start(self) -> None:
        """Start serving."""
        self._thread.start()

    def stop(self) -> None:
        """Abort running responses and release the port."""
        self.stopping.set()
        self.shutdown()
        self._thread.join()
        self.server_close()

    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that disconnect; any other error is a bug of the fake and is printed."""
        if not isinstance(sys.exception(), OSError):
            socketserver.BaseServer.handle_error(self, request, client_address)
