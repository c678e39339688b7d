"""HTTP to external services: one client per environment, one overall deadline and one size cap per exchange."""

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC
from email.utils import format_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import override

import httpx

from instant.adapters.clock import SystemClock
from instant.adapters.http.connections import KEEP_ALIVE_SECONDS, transport
from instant.adapters.http.deadline import Deadline
from instant.domain.errors import DeadlineExceeded, InstantError, OutcomeUnknown, UpstreamError, UpstreamUnavailable
from instant.domain.exchange import Request, Unreadable, too_long
from instant.domain.executions.failure import Effect, Failure
from instant.domain.executions.receipt import Receipt, usable_id
from instant.domain.secret import Mask
from instant.ports.clock import Clock
from instant.ports.upstream import Response, Upstream

CONNECT_SECONDS = 5.0
"""How long a connection may take before the service counts as unavailable."""

WAIT_SECONDS = 1.0
"""How often a caller is called back while it waits for a response."""

BODY_SECONDS = 2.0
"""How long a body may take after its headers before the generation id is passed on, in case this process ends."""

_SENT = "The call was sent and may have been charged. Check GET /api/executions before calling again."

_log = logging.getLogger(__name__)


class HttpUpstream(Upstream):
    """Sends requests; does not retry."""

    def __init__(
        self,
        base_url_of: Callable[[str], str] | None = None,
        clock: Clock | None = None,
        *,
        body_seconds: float = BODY_SECONDS,
        wait_seconds: float = WAIT_SECONDS,
    ) -> None:
        """Reach each integration at the base URL that `base_url_of` gives for its name."""
        self._wait_seconds = wait_seconds
        self._body_seconds = body_seconds
        self._base_url_of = base_url_of
        self._clock = clock or SystemClock()
        self._used_at = self._clock.monotonic()
        self._deadline = Deadline(self._clock.monotonic)
        self._transport = transport(self._deadline)
        self._client = httpx.Client(
            transport=self._transport,
            timeout=httpx.Timeout(None, connect=CONNECT_SECONDS),
            headers={"Accept-Encoding": "identity", "User-Agent": "instant-resources"},
            # one user's cookies must not be sent with another user's key
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            trust_env=False,
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    @override
    @contextmanager
    def open(
        self, request: Request, *, seconds: float, on_wait: Callable[[], None] | None = None
    ) -> Iterator["HttpResponse"]:
        self._drop_stale_connections()
        with self._deadline.within(seconds), self._calling(on_wait):
            with _failures_of(request, self._deadline):
                response = self._client.send(self._built(request), stream=True)
            try:
                self._add_date(response)
                yield HttpResponse(request, response, self._deadline, self._body_seconds)
            finally:
                response.close()

    def _calling(self, on_wait: Callable[[], None] | None) -> AbstractContextManager[None]:
        return self._deadline.call_every(self._wait_seconds, on_wait) if on_wait else nullcontext()

    def _add_date(self, response: httpx.Response) -> None:
        """Add the `Date` that a service omits (RFC 9110, 6.6.1): waits are computed from it."""
        response.headers.setdefault("date", format_datetime(self._clock.now().astimezone(UTC), usegmt=True))

    def _built(self, request: Request) -> httpx.Request:
        headers = dict(request.headers)
        if request.bearer:
            headers["Authorization"] = f"Bearer {request.bearer.reveal()}"
        url = self._base_url(request) + request.path
        return self._client.build_request(request.method, url, content=request.body, headers=headers)

    def _base_url(self, request: Request) -> str:
        if request.base_url is not None:
            return request.base_url
        if self._base_url_of is None or request.integration is None:
            raise ValueError("a request names an integration, or a base URL")
        return self._base_url_of(request.integration)

    def _drop_stale_connections(self) -> None:
        """The environment may have been frozen since the last call, and the server may have closed its connections."""
        now = self._clock.monotonic()
        if now - self._used_at > KEEP_ALIVE_SECONDS:
            self._transport.close()
        self._used_at = now


class HttpResponse(Response):
    """A response whose headers have arrived."""

    def __init__(self, request: Request, response: httpx.Response, deadline: Deadline, body_seconds: float) -> None:
        """Read `response`, which belongs to `request`, within `deadline`."""
        self._request = request
        self._response = response
        self._deadline = deadline
        self._body_seconds = body_seconds

    @property
    @override
    def status(self) -> int:
        return self._response.status_code

    @property
    @override
    def headers(self) -> Mapping[str, str]:
        """The headers in lower case, with the key redacted: an echoed key must not be stored or shown."""
        mask = Mask(self._request.bearer)
        return {name.lower(): mask.text(value) for name, value in self._response.headers.items()}

    @property
    @override
    def generation_id(self) -> str | None:
        return _generation_id(self._request, self._response.headers)

    @override
    def chunks(self) -> Iterator[bytes]:
        """The body as it arrives; a compressed body is rejected, since it could expand to gigabytes."""
        with _failures_of(self._request, self._deadline, self._response.headers):
            if not _is_plain(self._response.headers):
                raise Unreadable("The service sent a compressed response, which is not supported.")
            yield from self._response.iter_raw()

    @override
    def read(self, limit: int, on_generation_id: Callable[[str], None] | None = None) -> bytes:
        body = bytearray()
        with (
            _failures_of(self._request, self._deadline, self._response.headers),
            self._deadline.call_after(self._body_seconds, lambda: self._pass_on(on_generation_id)),
        ):
            for chunk in self.chunks():
                body += chunk
                if len(body) > limit:
                    raise _unanswered(too_long(limit), self._request, self._response.headers)
            if _is_text(self._response.headers) and not _is_utf8(body):
                raise Unreadable.not_text()
        return Mask(self._request.bearer).data(bytes(body))

    def _pass_on(self, on_generation_id: Callable[[str], None] | None) -> None:
        """Store the generation id; the call continues even if that fails."""
        if on_generation_id is None or self.generation_id is None:
            return
        try:
            on_generation_id(self.generation_id)
        except Exception as error:
            _log.warning("the generation id was not stored", extra={"error": type(error).__name__})


def _is_plain(headers: httpx.Headers) -> bool:
    """Whether the body is not encoded; `identity` means no encoding, and can be named in any case."""
    encodings = headers.get("content-encoding", "").lower().split(",")
    return {encoding.strip() for encoding in encodings} <= {"", "identity"}


@contextmanager
def _failures_of(request: Request, deadline: Deadline, headers: httpx.Headers | None = None) -> Iterator[None]:
    """Convert the errors of one exchange to failures with the generation id, if one was received.

    Failures, and what a callback of the caller raised, stay as they are.
    """
    try:
        yield
    except Failure:
        raise
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol) as error:
        _log.warning("upstream not reached", extra={"error": type(error).__name__})
        unavailable = UpstreamUnavailable("The service cannot be reached. Try again in a moment.")
        raise Failure(unavailable, effect=Effect.NONE) from None
    except httpx.TimeoutException:
        late = DeadlineExceeded(f"No complete response within the time limit. {_SENT}")
        raise _unanswered(late, request, headers) from None
    except Unreadable as error:
        raise _unanswered(UpstreamError(str(error)), request, headers) from None
    except Exception as error:  # the message of any error may contain the key
        if deadline.has_raised(error):
            raise
        _log.warning("upstream connection lost", extra={"error": type(error).__name__})
        lost = OutcomeUnknown(f"The connection was lost before the response was complete. {_SENT}")
        raise _unanswered(lost, request, headers) from None


def _unanswered(error: InstantError, request: Request, headers: httpx.Headers | None) -> Failure:
    """The failure of a call that was sent but has no complete response, with its generation id, if one was received."""
    receipt = Receipt(generation_id=_generation_id(request, headers) if headers else None)
    return Failure(error, receipt=receipt, effect=Effect.UNKNOWN, is_counted=True)


def _generation_id(request: Request, headers: httpx.Headers) -> str | None:
    found = Mask(request.bearer).text(headers.get(request.id_header, "")) if request.id_header else ""
    return usable_id(found)


def _is_text(headers: httpx.Headers) -> bool:
    """Whether the body is JSON or text: everything that is not declared as something else."""
    kind = headers.get("content-type", "").split(";")[0].strip().lower()
    return not kind or kind.startswith("text/") or re.search(r"json|xml|javascript|urlencoded", kind) is not None


def _is_utf8(body: bytearray) -> bool:
    """Whether `body` is UTF-8; a NUL is valid in it, but only occurs in text in UTF-16 or UTF-32."""
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return 0 not in body
