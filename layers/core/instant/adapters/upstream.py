"""HTTP to outside services: one client per environment, one overall deadline and one size cap per exchange."""

import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from instant.adapters.clock import SystemClock
from instant.adapters.deadline import KEEP_ALIVE_SECONDS, Deadline, transport
from instant.domain.errors import DeadlineExceeded, InstantError, OutcomeUnknown, UpstreamError, UpstreamUnavailable
from instant.domain.exchange import Reply, Request
from instant.domain.receipt import Receipt
from instant.domain.secret import Secret
from instant.ports import Clock

CONNECT_SECONDS = 5.0
"""How long a connection may take before the service counts as unavailable."""

BODY_SECONDS = 2.0
"""How long a body may take after its headers before its name is told: should we die, it can be asked for by that."""

_SENT = "The call was sent and may have been paid. Read GET /api/executions before calling again."

_MASK = "[key]"

_log = logging.getLogger(__name__)


class HttpUpstream:
    """Sends requests; never repeats one."""

    def __init__(
        self,
        elsewhere: Mapping[str, str] | None = None,
        clock: Clock | None = None,
        *,
        body_seconds: float = BODY_SECONDS,
    ) -> None:
        """Talk to each service at its own base URL, or where `elsewhere` says it is reached instead."""
        self._body_seconds = body_seconds
        self._elsewhere = dict(elsewhere or {})
        self._clock = clock or SystemClock()
        self._used_at = self._clock.monotonic()
        self._deadline = Deadline(self._clock.monotonic)
        self._transport = transport(self._deadline)
        self._client = httpx.Client(
            transport=self._transport,
            timeout=httpx.Timeout(None, connect=CONNECT_SECONDS),
            headers={"Accept-Encoding": "identity", "User-Agent": "instant-resources"},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),  # one user's must not travel with another's key
            trust_env=False,
        )

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def send(self, request: Request, *, seconds: float, named: Callable[[str], None] | None = None) -> Reply:
        """One exchange within `seconds` in all; `named` hears the reply's name if its body keeps it waiting."""
        self._forget_stale_connections()
        seen = httpx.Headers()
        try:
            with self._deadline.within(seconds), self._open(request) as reply:
                seen = reply.headers
                with self._deadline.calling(self._body_seconds, lambda: _tell(named, request, seen)):
                    return _without(request.bearer, _whole(reply, request.max_reply_bytes))
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol) as error:
            _log.warning("upstream not reached", extra={"error": type(error).__name__})
            raise UpstreamUnavailable(
                "The service cannot be reached. Try again in a moment.", nothing_done=True
            ) from None
        except httpx.TimeoutException:
            raise _unanswered(
                DeadlineExceeded, f"No whole answer within the time allowed. {_SENT}", request, seen
            ) from None
        except Unreadable as error:
            raise _unanswered(UpstreamError, str(error), request, seen) from None
        except Exception as error:  # whatever it is, its words may hold the key
            _log.warning("upstream connection lost", extra={"error": type(error).__name__})
            raise _unanswered(
                OutcomeUnknown, f"The connection broke before the answer. {_SENT}", request, seen
            ) from None

    def _open(self, request: Request) -> AbstractContextManager[httpx.Response]:
        base = self._elsewhere.get(request.base_url, request.base_url)
        headers = dict(request.headers)
        if request.bearer:
            headers["Authorization"] = f"Bearer {request.bearer.reveal()}"
        return self._client.stream(request.method, base + request.path, content=request.body, headers=headers)

    def _forget_stale_connections(self) -> None:
        """An environment may have been frozen since the last call, and its connections be long dead."""
        now = self._clock.monotonic()
        if now - self._used_at > KEEP_ALIVE_SECONDS:
            self._transport.close()
        self._used_at = now


def _unanswered(kind: type[InstantError], message: str, request: Request, seen: httpx.Headers) -> InstantError:
    """The error of a call that was sent and has no whole answer, with the name of the call, if one came."""
    return kind(message, outcome_unknown=True, receipt=Receipt(generation_id=_name(request, seen)))


def _name(request: Request, seen: httpx.Headers) -> str | None:
    name = _masked(request.bearer, seen.get(request.id_header, "")) if request.id_header else ""
    return name or None


def _tell(named: Callable[[str], None] | None, request: Request, seen: httpx.Headers) -> None:
    """The call goes on whether or not its name could be noted."""
    name = _name(request, seen)
    if named is None or name is None:
        return
    try:
        named(name)
    except Exception as error:
        _log.warning("the name of a call was not noted", extra={"error": type(error).__name__})


class Unreadable(Exception):
    """The answer came and is not read."""


def _whole(reply: httpx.Response, most: int) -> Reply:
    """The body as it was sent: a compressed one is refused, since a few bytes could unfold to gigabytes."""
    if reply.headers.get("content-encoding", "identity") != "identity":
        raise Unreadable("The service sent a compressed answer, which is not read.")
    body = bytearray()
    for chunk in reply.iter_raw():
        body += chunk
        if len(body) > most:
            raise Unreadable(f"The answer is longer than {most} bytes, which is not read.")
    return Reply(status=reply.status_code, body=bytes(body), headers=_lower(reply.headers))


def _without(key: Secret | None, reply: Reply) -> Reply:
    """The reply without the key that it answers to: a service that repeats it must not get it stored or told."""
    if key is None:
        return reply
    headers = {name: _masked(key, value) for name, value in reply.headers.items()}
    return replace(reply, body=reply.body.replace(key.reveal().encode(), _MASK.encode()), headers=headers)


def _masked(key: Secret | None, text: str) -> str:
    return text.replace(key.reveal(), _MASK) if key else text


def _lower(headers: httpx.Headers) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
