"""One deadline for a whole HTTP exchange (connect, headers and body), and a timer that calls back during it.

HTTP clients apply a timeout to each read, and OpenRouter sends blank lines while a model works, so a slow response
would never time out. Here every read and write on the socket gets only the remaining time of the exchange.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, override

import httpcore

_FOREVER = float("inf")


@dataclass
class _Timer:
    at: float
    callback: Callable[[], None]
    has_fired: bool = False


class Deadline:
    """The time by which the current exchange must end; each thread has its own."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        """Start without a deadline; `monotonic` returns the time in seconds."""
        self._monotonic = monotonic
        self._at: ContextVar[float] = ContextVar("deadline", default=_FOREVER)
        self._timer: ContextVar[_Timer | None] = ContextVar("timer", default=None)

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Set a deadline of `seconds` for the block."""
        token = self._at.set(self._monotonic() + seconds)
        try:
            yield
        finally:
            self._at.reset(token)

    @contextmanager
    def call_after(self, seconds: float, callback: Callable[[], None]) -> Iterator[None]:
        """Call `callback` once if the block is still reading after `seconds`, even during a single long read."""
        token = self._timer.set(_Timer(self._monotonic() + seconds, callback))
        try:
            yield
        finally:
            self._timer.reset(token)

    def read(self, stream: httpcore.NetworkStream, max_bytes: int, timeout: float | None) -> bytes:
        """Read the next bytes from `stream` within the remaining time."""
        timer = self._timer.get()
        if timer is None or timer.has_fired:
            return stream.read(max_bytes, self.left(timeout, httpcore.ReadTimeout))
        quiet, left = timer.at - self._monotonic(), self.left(timeout, httpcore.ReadTimeout)
        if quiet > 0:
            try:
                return stream.read(max_bytes, quiet if left is None else min(quiet, left))
            except httpcore.ReadTimeout:
                if left is not None and left <= quiet:
                    raise
        timer.has_fired = True
        timer.callback()
        return stream.read(max_bytes, self.left(timeout, httpcore.ReadTimeout))

    def left(self, timeout: float | None, late: type[Exception]) -> float | None:
        """The remaining time, at most `timeout`; raises `late` if none is left."""
        remaining = self._at.get() - self._monotonic()
        if remaining <= 0:
            raise late("deadline passed")
        return timeout if remaining == _FOREVER else min(remaining, timeout or remaining)


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._deadline.read(self._stream, max_bytes, timeout)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> "_Stream":
        limit = self._deadline.left(timeout, httpcore.ConnectTimeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, limit), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class DeadlineBackend(httpcore.SyncBackend):
    """Opens TCP connections whose reads and writes end at the deadline."""

    def __init__(self, deadline: Deadline) -> None:
        """Apply `deadline` to every connection."""
        self._deadline = deadline

    @override
    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        limit = self._deadline.left(timeout, httpcore.ConnectTimeout)
        stream = super().connect_tcp(host, port, limit, local_address, socket_options)
        return _Stream(stream, self._deadline)
