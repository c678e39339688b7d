"""HTTP to outside services: one client per environment, one overall deadline and one size cap per exchange."""

import logging
from collections.abc import Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from instant.adapters.deadline import Deadline, transport
from instant.domain.errors import DeadlineExceeded, OutcomeUnknown, UpstreamError, UpstreamUnavailable
from instant.domain.exchange import Reply, Request

CONNECT_SECONDS = 5.0
"""How long a connection may take before the service counts as unavailable."""

_SENT = "The call was sent and may have been paid. Read GET /api/executions before calling again."

_log = logging.getLogger(__name__)


class HttpUpstream:
    """Sends requests; never repeats one."""

    def __init__(self, elsewhere: Mapping[str, str] | None = None) -> None:
        """Talk to each service at its own base URL, or where `elsewhere` says it is reached instead."""
        self._elsewhere = dict(elsewhere or {})
        self._deadline = Deadline()
        self._client = httpx.Client(
            transport=transport(self._deadline),
            timeout=httpx.Timeout(None, connect=CONNECT_SECONDS),
            headers={"Accept-Encoding": "identity", "User-Agent": "instant-resources"},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),  # one user's must not travel with another's key
            trust_env=False,
        )

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def send(self, request: Request, *, seconds: float) -> Reply:
        """One exchange within `seconds` in all."""
        base = self._elsewhere.get(request.base_url, request.base_url)
        headers = dict(request.headers)
        if request.bearer:
            headers["Authorization"] = f"Bearer {request.bearer.reveal()}"
        try:
            with (
                self._deadline.within(seconds),
                self._client.stream(
                    request.method, base + request.path, content=request.body, headers=headers
                ) as reply,
            ):
                return _whole(reply, request.max_reply_bytes)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol) as error:
            _log.warning("upstream not reached", extra={"error": type(error).__name__})
            raise UpstreamUnavailable("The service cannot be reached. Try again in a moment.") from None
        except httpx.TimeoutException:
            raise DeadlineExceeded(f"No whole answer within the time allowed. {_SENT}", outcome_unknown=True) from None
        except httpx.TransportError as error:
            _log.warning("upstream connection lost", extra={"error": type(error).__name__})
            raise OutcomeUnknown(f"The connection broke before the answer. {_SENT}", outcome_unknown=True) from None


def _whole(reply: httpx.Response, most: int) -> Reply:
    """The body as it was sent: a compressed one is refused, since a few bytes could unfold to gigabytes."""
    if reply.headers.get("content-encoding", "identity") != "identity":
        raise UpstreamError("The service sent a compressed answer, which is not read.", outcome_unknown=True)
    body = bytearray()
    for chunk in reply.iter_raw():
        body += chunk
        if len(body) > most:
            raise UpstreamError(f"The answer is longer than {most} bytes, which is not read.", outcome_unknown=True)
    return Reply(status=reply.status_code, body=bytes(body), headers=_lower(reply.headers))


def _lower(headers: httpx.Headers) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
