"""The service of the toy integrations: the megaphone requires a key, and the parrot accepts none."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "mega-12345678"


class Service(BaseHTTPRequestHandler):
    """Handles and records the requests of the toy integrations."""

    asked: list[tuple[str, str, Any]]
    known_keys: set[str]
    endings: list[str]
    url: str

    def do_GET(self) -> None:
        self._answer({"name": "Alice", "left": "3.5"})

    def do_POST(self) -> None:
        sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/repeat":
            return self._answer({"said": sent, "usd": "0.002"}, sent, needs_key=False)
        shouted = sent["words"].upper() + "!" * sent["loudness"]
        return self._answer({"id": "shout-1", "shouted": shouted, "usd": "0.000123"}, sent)

    def _answer(self, answer: Any, sent: Any = None, *, needs_key: bool = True) -> None:
        key = self.headers.get("Authorization", "").removeprefix("Bearer ")
        self.asked.append((f"{self.command} {self.path}", key, sent))
        if self.endings[:1] == ["hang-up"]:
            self.endings.pop(0)
            self.close_connection = True
            return
        body = json.dumps(answer).encode()
        self.send_response(self._status(key, needs_key))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _status(self, key: str, needs_key: bool) -> int:
        if self.endings and (ending := self.endings.pop(0)):
            return int(ending)
        return 401 if needs_key and key not in self.known_keys else 200

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Do not log requests."""


@contextmanager
def serving() -> Iterator[type[Service]]:
    """Start the service on the loopback interface."""

    class Fresh(Service):
        asked: list[tuple[str, str, Any]] = []  # noqa: RUF012
        known_keys = {KEY}  # noqa: RUF012
        endings: list[str] = []  # noqa: RUF012
        url = ""

    with ThreadingHTTPServer(("127.0.0.1", 0), Fresh) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.005,))
        thread.start()
        Fresh.url = f"http://127.0.0.1:{server.server_port}"
        yield Fresh
        server.shutdown()
        thread.join()
