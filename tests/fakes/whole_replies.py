"""Doubles of the port Upstream that answer each request with a complete reply."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from instant.domain.exchange import Reply, Request


class WholeResponse:
    """Implements the port Response for a complete reply."""

    def __init__(self, reply: Reply, request: Request) -> None:
        """Answer `request` with `reply`."""
        self._reply, self._request = reply, request

    @property
    def status(self) -> int:
        return self._reply.status

    @property
    def headers(self) -> Mapping[str, str]:
        return self._reply.headers

    @property
    def generation_id(self) -> str | None:
        return self._reply.headers.get(self._request.id_header or "")

    def chunks(self) -> Iterator[bytes]:
        yield self._reply.body

    def read(self, limit: int, on_generation_id: Callable[[str], None] | None = None) -> bytes:
        return self._reply.body


class WholeReplies:
    """Implements the port Upstream for doubles that override `send`."""

    @contextmanager
    def open(
        self, request: Request, *, seconds: float, on_wait: Callable[[], None] | None = None
    ) -> Iterator[WholeResponse]:
        yield WholeResponse(self.send(request, seconds=seconds), request)

    def send(self, request: Request, *, seconds: float) -> Reply:
        """The complete reply to one request."""
        raise NotImplementedError
