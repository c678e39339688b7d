"""Lambda functions behind streaming integrations: the only module that knows AWS's runtime client (awslambdaric).

Such an integration takes every response as a prelude, which is JSON with status and headers, followed by eight NUL
bytes and the body. The runtime client has no streaming: its marshaller, which it documents as replaceable, is made to
let streams through, and they are posted to the Runtime API in chunks, like a custom runtime does.
"""

import json
import logging
import sys
from base64 import b64encode
from collections.abc import Callable, Mapping
from functools import cache
from http.client import HTTPConnection, HTTPException
from inspect import signature
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver

from instant.domain.limits import MAX_BODY_BYTES
from instant.entrypoints.http.app import Proxy, buffered, resolver_of, responder
from instant.entrypoints.http.errors import Render, error_response
from instant.entrypoints.http.headers import Cors
from instant.entrypoints.http.stream import Headers, Start, Stream, Write
from instant.settings import HttpSettings

BUFFERED_SECONDS = 280
"""Maximum time for a response that is not a stream: API Gateway closes a connection that is idle for five minutes."""

WRITE_SECONDS = 20
"""Maximum time of one write; a reader that takes nothing for so long is treated like one that has left."""

CONTENT_TYPE = "application/vnd.awslambda.http-integration-response"
END_OF_PRELUDE = bytes(8)

_CLIENT = "awslambdaric.lambda_runtime_client"
_log = logging.getLogger(__name__)

type StreamingHandler = Callable[[Any, Any], Stream | bytes | None]


def streaming_handler_of(
    app: APIGatewayRestResolver,
    settings: HttpSettings,
    *,
    max_body_bytes: int = MAX_BODY_BYTES,
    render: Render = error_response,
) -> StreamingHandler:
    """The Lambda handler of `app`, whose routes all have streaming integrations.

    If the runtime client cannot be extended, streams are sent as a whole when they have ended.
    """
    respond = responder(resolver_of(app), settings, max_body_bytes=max_body_bytes, render=render)
    cors = Cors(settings.cors_origins)

    def handler(event: Any, context: Any) -> Stream | bytes | None:
        if not isinstance(event, dict) or not event.keys() >= {"httpMethod", "resource"}:
            _log.warning("ignored an event that is no HTTP request")
            return None
        timed = _TimedContext(context)
        response = respond(event, timed)
        if not _extend_client():
            return _whole(buffered(response, event, cors, render))
        if not isinstance(response, Stream):
            return Stream(_sending(response))
        timed.lift_limit()
        return response

    return handler


class _TimedContext:
    """Lambda's context, with less remaining time until it is known that the response is a stream."""

    def __init__(self, context: Any) -> None:
        """Limit the remaining time to that of a response that is not a stream."""
        self._context = context
        self._withheld = max(0, context.get_remaining_time_in_millis() - BUFFERED_SECONDS * 1000)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    def get_remaining_time_in_millis(self) -> int:
        """The remaining time of the response, in milliseconds."""
        return int(self._context.get_remaining_time_in_millis() - self._withheld)

    def lift_limit(self) -> None:
        """Allow all the time of the invocation."""
        self._withheld = 0


def _sending(response: Proxy) -> Callable[[Start], object]:
    """The run of a response that is not a stream."""
    return lambda start: start(response["statusCode"], response["multiValueHeaders"])(_body_of(response))


def _whole(response: Proxy) -> bytes:
    """The response for a runtime client that is not extended: bytes are posted as they are."""
    return prelude(response["statusCode"], response["multiValueHeaders"]) + _body_of(response)


def _body_of(response: Proxy) -> bytes:
    return (response.get("body") or "").encode()


def prelude(status: int, headers: Mapping[str, list[str]]) -> bytes:
    """The beginning of a response, up to its body."""
    single = {name: values[0] for name, values in headers.items() if len(values) == 1}
    several = {name: values for name, values in headers.items() if len(values) > 1}
    content = {"statusCode": status, "headers": single, **({"multiValueHeaders": several} if several else {})}
    return json.dumps(content).encode() + END_OF_PRELUDE


@cache
def _extend_client() -> bool:
    """Whether streams are sent by the runtime client of this process, if it is one that can be extended."""
    client: Any = getattr(sys.modules.get(_CLIENT), "LambdaRuntimeClient", None)
    usual = getattr(client, "marshaller", None)
    post: Any = getattr(client, "post_invocation_result", None)
    if not hasattr(usual, "marshal_response") or not _takes_results(post):
        _log.error("this runtime client cannot be extended: responses are sent when they have ended, not as streams")
        return False
    _owner(client, "marshaller").marshaller = _Marshaller(usual)
    _owner(client, "post_invocation_result").post_invocation_result = _posting(post)
    return True


def _takes_results(post: Any) -> bool:
    return callable(post) and [*signature(post).parameters][:3] == ["self", "invoke_id", "result_data"]


def _owner(client: type, name: str) -> Any:
    """The class that defines this attribute; other clients may inherit it, too."""
    return next(each for each in client.__mro__ if name in vars(each))


class _Marshaller:
    """Lets streams through; everything else is converted as usual."""

    def __init__(self, usual: Any) -> None:
        """Extend the marshaller of the runtime client."""
        self._usual = usual

    def __getattr__(self, name: str) -> Any:
        return getattr(self._usual, name)

    def marshal_response(self, response: Any) -> tuple[Any, str]:
        """The content of a response and its type."""
        return (response, CONTENT_TYPE) if isinstance(response, Stream) else self._usual.marshal_response(response)


def _posting(usual: Callable[..., None]) -> Callable[..., None]:
    """The method of the runtime client that posts results, extended by streams."""

    def post_invocation_result(
        self: Any, invoke_id: str, result_data: Any, content_type: str = CONTENT_TYPE, *more: Any, **named: Any
    ) -> None:
        if not isinstance(result_data, Stream):
            return usual(self, invoke_id, result_data, content_type, *more, **named)
        invocation_id = named.get("invocation_id", next(iter(more), None))
        return _Post(self.lambda_runtime_address, invoke_id, invocation_id).send(result_data)

    return post_invocation_result


class _Post:
    """One response in chunks; when a write has failed, the rest is discarded, and what produces it goes on."""

    def __init__(self, address: str, invoke_id: str, invocation_id: str | None) -> None:
        """Connect to the Runtime API when the response begins; newer clients also return an invocation id."""
        self._connection = HTTPConnection(address, timeout=WRITE_SECONDS)
        self._path = f"/2018-06-01/runtime/invocation/{invoke_id}/response"
        self._invocation_id = invocation_id
        self._is_lost = False

    def send(self, stream: Stream) -> None:
        """Send the whole response; an error after its beginning is reported in the trailers."""
        try:
            stream.send(self._start)
        except Exception as error:
            _log.error("a stream was cut off", exc_info=error)
            self._write(_last_chunk(error))
        else:
            self._write(_last_chunk())
        self._attempt(self._read_acknowledgement)
        self._connection.close()

    def _start(self, status: int, headers: Headers) -> Write:
        self._attempt(self._send_head)
        content = prelude(status, headers)
        self._write(_chunk(content))
        return lambda piece: self._write(_chunk(piece)) if piece else None

    def _send_head(self) -> None:
        self._connection.putrequest("POST", self._path, skip_accept_encoding=True)
        self._connection.putheader("Content-Type", CONTENT_TYPE)
        self._connection.putheader("Lambda-Runtime-Function-Response-Mode", "streaming")
        self._connection.putheader("Transfer-Encoding", "chunked")
        self._connection.putheader("Trailer", ", ".join(_TRAILERS))
        if self._invocation_id:
            self._connection.putheader("Lambda-Runtime-Invocation-Id", self._invocation_id)
        self._connection.endheaders()

    def _write(self, data: bytes) -> None:
        self._attempt(lambda: self._connection.send(data))

    def _read_acknowledgement(self) -> None:
        response = self._connection.getresponse()
        response.read()
        if response.status >= 300:
            _log.warning("the Runtime API did not accept a stream: %s", response.status)

    def _attempt(self, action: Callable[[], object]) -> None:
        """Do it unless the connection is lost."""
        if self._is_lost:
            return
        try:
            action()
        except (OSError, HTTPException) as error:
            self._is_lost = True
            self._connection.close()
            _log.warning("the Runtime API takes no more of a stream, whose execution goes on: %s", type(error).__name__)


_TRAILERS = ("Lambda-Runtime-Function-Error-Type", "Lambda-Runtime-Function-Error-Body")


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def _last_chunk(error: Exception | None = None) -> bytes:
    """The end of the body and the trailers, which name the class of an error; its text may quote secrets."""
    if error is None:
        return b"0\r\n\r\n"
    kind = f"Function.{type(error).__name__}"
    content = json.dumps({"errorType": kind, "errorMessage": "The stream was cut off. See the log."})
    values = (kind, b64encode(content.encode()).decode())
    trailers = "".join(f"{name}: {value}\r\n" for name, value in zip(_TRAILERS, values, strict=True))
    return f"0\r\n{trailers}\r\n".encode()
