"""Doubles of outside services that answer each request with a whole reply."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from instant.domain.exchange import Reply, Request


class WholeResponse:
    """The port Response over a reply that is there already."""

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
    """The port Upstream for doubles that say in `send` what they answer."""

    @contextmanager
    def open(self, request: Request, *, seconds: float) -> Iterator[WholeResponse]:
        yield WholeResponse(self.send(request, seconds=seconds), request)

    def send(self, request: Request, *, seconds: float) -> Reply:
        """The whole reply to one request."""
        raise NotImplementedError
