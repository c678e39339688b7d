"""HTTP to outside services: open a response, or read it whole."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Protocol

from instant.domain.exchange import Reply, Request
from instant.domain.executions.failure import Failure


class Response(Protocol):
    """A response whose headers have arrived; header names are lower case."""

    @property
    def status(self) -> int:
        """The HTTP status."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers, without the key that the request was sent with."""

    @property
    def generation_id(self) -> str | None:
        """The service's id of the call (`request.id_header`), if it gave one."""

    def chunks(self) -> Iterator[bytes]:
        """The body as it arrives; a `Failure` of unknown outcome if it does not arrive whole within the deadline."""

    def read(self, limit: int, on_generation_id: Callable[[str], None] | None = None) -> bytes:
        """The whole body, at most `limit` bytes, without the key; a `Failure` of unknown outcome otherwise.

        `on_generation_id` is called once if the body is not there soon after its headers, so that the outcome of the
        call can be looked up should this process end.
        """


class Upstream(Protocol):
    """HTTP to outside services; one attempt each, nothing is retried."""

    def open(self, request: Request, *, seconds: float) -> AbstractContextManager[Response]:
        """The response to one request; the whole exchange, body included, has `seconds`.

        Raises `Failure`: `Effect.NONE` without a connection, since nothing was sent; `Effect.UNKNOWN` when something
        was sent and no whole response was read.
        """


def exchange(
    upstream: Upstream, request: Request, *, seconds: float, on_generation_id: Callable[[str], None] | None = None
) -> Reply:
    """One exchange read whole; errors are those of `Upstream.open`."""
    with upstream.open(request, seconds=seconds) as response:
        body = response.read(request.max_reply_bytes, on_generation_id)
        return Reply(status=response.status, body=body, headers=response.headers)


def ask(upstream: Upstream, request: Request, *, seconds: float) -> Reply:
    """One exchange read whole, for requests that cost nothing: a failure is the error response itself."""
    try:
        return exchange(upstream, request, seconds=seconds)
    except Failure as failure:
        raise failure.error from None
