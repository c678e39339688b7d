"""Reads a stream and notes when its pieces arrive."""

import json
import re
import socket
import time
from dataclasses import dataclass, field

_ARRIVED = re.compile(rb"a=(\d+);")
_SENT_AT = re.compile(rb"t=(\d+);")
_MS = 1e6


@dataclass
class Reading:
    """The times of one stream in nanoseconds of the monotonic clock: `add` takes the pieces of its body.

    `is_done` says whether a stream of this service has ended well; its last event repeats all of its text.
    """

    asked: int = field(default_factory=time.monotonic_ns)
    first: int = 0
    delays: list[int] = field(default_factory=list)
    is_done: bool = False
    _arrived: int = 0
    _rest: bytes = b""

    def add(self, piece: bytes) -> None:
        """Note the arrival of a piece, and the delay of each chunk that it completes."""
        now = time.monotonic_ns()
        self.first = self.first or now
        if self.is_done:
            return
        text, done, _ = (self._rest + piece).partition(b"event: done")
        self.is_done, end = bool(done), 0
        if not self._arrived and (found := _ARRIVED.search(text)):
            self._arrived = int(found[1])
        for found in _SENT_AT.finditer(text):
            self.delays.append(now - int(found[1]))
            end = found.end()
        self._rest = text[max(end, len(text) - 64) :]

    @property
    def has_ended(self) -> bool:
        """Whether the last chunk has arrived; nginx keeps the connection open."""
        return self._rest.endswith(b"\r\n0\r\n\r\n")

    @property
    def first_byte_ms(self) -> float:
        """Milliseconds from the request to the first byte of the body."""
        return (self.first - self.asked) / _MS

    @property
    def preparation_ms(self) -> float:
        """Milliseconds from the request to its arrival at the upstream."""
        return (self._arrived - self.asked) / _MS


def read(port: int, prompt: str) -> Reading:
    """Ask a server for a stream, and read it to its end."""
    content = {"model": "bench/model", "messages": [{"role": "user", "content": prompt}], "stream": True}
    body = json.dumps(content).encode()
    head = f"POST /api/v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n\r\n"
    reading = Reading()
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(head.encode() + body)
        received = b""
        while not received.partition(b"\r\n\r\n")[2]:
            received += connection.recv(65_536)
        reading.add(received.partition(b"\r\n\r\n")[2])
        while not reading.has_ended and (piece := connection.recv(65_536)):
            reading.add(piece)
    return reading
