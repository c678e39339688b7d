"""HTTP to outside services: open a response, or read it completely."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Protocol

from instant.domain.errors import TooLarge, UpstreamError
from instant.domain.exchange import Reply, Request
from instant.domain.executions.failure import Failure
from instant.domain.secret import Mask


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
        """The service's id of the call (`request.id_header`), if the response has one."""

    def chunks(self) -> Iterator[bytes]:
        """The body as it arrives; a `Failure` of unknown outcome if it is not complete within the deadline."""

    def read(self, limit: int, on_generation_id: Callable[[str], None] | None = None) -> bytes:
        """The complete body, at most `limit` bytes, without the key; a `Failure` of unknown outcome otherwise.

        `on_generation_id` is called once if the body does not arrive soon after the headers, so that the outcome of the
        call can be looked up if this process ends.
        """


class Upstream(Protocol):
    """HTTP to outside services; one attempt per request, without retries."""

    def open(
        self, request: Request, *, seconds: float, on_wait: Callable[[], None] | None = None
    ) -> AbstractContextManager[Response]:
        """The response to one request; `seconds` is the deadline of the complete exchange, including the body.

        `on_wait` is called about once a second while the response is awaited or read, also while nothing arrives. What
        it raises ends the exchange and is raised unchanged; the connection is closed.

        Raises `Failure`: `Effect.NONE` without a connection, since nothing was sent; `Effect.UNKNOWN` when something
        was sent and no complete response was read.
        """


def exchange(
    upstream: Upstream,
    request: Request,
    *,
    seconds: float,
    on_generation_id: Callable[[str], None] | None = None,
    on_wait: Callable[[], None] | None = None,
) -> Reply:
    """One complete exchange; raises the errors of `Upstream.open`."""
    with upstream.open(request, seconds=seconds, on_wait=on_wait) as response:
        return read_reply(response, request, on_generation_id)


def read_reply(response: Response, request: Request, on_generation_id: Callable[[str], None] | None = None) -> Reply:
    """The complete reply in an open response to `request`."""
    body = response.read(request.max_reply_bytes, on_generation_id)
    return Reply(status=response.status, body=body, headers=response.headers, mask=Mask(request.bearer))


def ask(upstream: Upstream, request: Request, *, seconds: float) -> Reply:
    """One complete exchange, for requests that cost nothing: raises the error of a `Failure` directly."""
    try:
        return exchange(upstream, request, seconds=seconds)
    except Failure as failure:
        if isinstance(failure.error, TooLarge):  # nothing that the caller of this API sent
            raise UpstreamError(failure.error.message) from None
        raise failure.error from None
