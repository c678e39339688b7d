"""One deadline for a whole HTTP exchange (connect, headers and body), and timers that call back during it.

HTTP clients apply a timeout to each read, and OpenRouter sends blank lines while a model works, so a slow response
would never time out. Here every read and write on the socket gets only the remaining time of the exchange.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, override

import httpcore

_FOREVER = float("inf")

_MIN_WAIT = 0.001
"""Shortest wait of a read; without one, a read fails that has nothing to read."""


@dataclass
class _Timer:
    """Calls `callback` at `at`, then every `period` seconds; without a period, once."""

    at: float
    callback: Callable[[], None]
    period: float = _FOREVER


class Deadline:
    """The time by which the current exchange must end; each thread has its own."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        """Start without a deadline; `monotonic` returns the time in seconds."""
        self._monotonic = monotonic
        self._at: ContextVar[float] = ContextVar("deadline", default=_FOREVER)
        self._timers: ContextVar[tuple[_Timer, ...]] = ContextVar("timers", default=())
        self._raised: ContextVar[BaseException | None] = ContextVar("raised", default=None)

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Set a deadline of `seconds` for the block."""
        at, raised = self._at.set(self._monotonic() + seconds), self._raised.set(None)
        try:
            yield
        finally:
            self._at.reset(at)
            self._raised.reset(raised)

    def call_after(self, seconds: float, callback: Callable[[], None]) -> AbstractContextManager[None]:
        """Call `callback` once if the block is still reading after `seconds`, even during a single long read."""
        return self._with(_Timer(self._monotonic() + seconds, callback))

    def call_every(self, seconds: float, callback: Callable[[], None]) -> AbstractContextManager[None]:
        """Call `callback` every `seconds` while the block reads, even during a single long read.

        Its exceptions end the read.
        """
        return self._with(_Timer(self._monotonic() + seconds, callback, seconds))

    def has_raised(self, error: BaseException) -> bool:
        """Whether a callback of the current exchange raised `error`."""
        return self._raised.get() is error

    def read(self, stream: httpcore.NetworkStream, max_bytes: int, timeout: float | None) -> bytes:
        """Read the next bytes from `stream` within the remaining time; timers that are due are called before."""
        while self._call_due():
            next_at = min(timer.at for timer in self._timers.get())
            quiet, left = next_at - self._monotonic(), self.left(timeout, httpcore.ReadTimeout)
            if left is not None and left <= quiet:
                return stream.read(max_bytes, left)
            with suppress(httpcore.ReadTimeout):
                return stream.read(max_bytes, max(quiet, _MIN_WAIT))
        return stream.read(max_bytes, self.left(timeout, httpcore.ReadTimeout))

    def left(self, timeout: float | None, late: type[Exception]) -> float | None:
        """The remaining time, at most `timeout`; raises `late` if none is left."""
        remaining = self._at.get() - self._monotonic()
        if remaining <= 0:
            raise late("deadline passed")
        return timeout if remaining == _FOREVER else min(remaining, timeout or remaining)

    @contextmanager
    def _with(self, timer: _Timer) -> Iterator[None]:
        token = self._timers.set((*self._timers.get(), timer))
        try:
            yield
        finally:
            self._timers.reset(token)

    def _call_due(self) -> bool:
        """Call the timers that are due; whether any timer is to be called later."""
        for timer in self._timers.get():
            if timer.at <= self._monotonic():
                self._call(timer)
                timer.at = self._monotonic() + timer.period
        return any(timer.at < _FOREVER for timer in self._timers.get())

    def _call(self, timer: _Timer) -> None:
        try:
            timer.callback()
        except BaseException as error:
            self._raised.set(error)
            raise


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
