"""Lambda proxy integration, payload format 1.0: converts a request to an event and a result to an HTTP response."""

import json
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from tests.local.api.routes import Match
from tests.local.api.server import Answer, Headers, Request
from tests.local.aws.arns import ACCOUNT, arn
from tests.local.template import Json

API_ID = "local"
_ADDRESS = "127.0.0.1"
_FRAMING = ("content-length", "connection", "transfer-encoding", "keep-alive")


class InvalidProxyResponse(Exception):
    """The function's result is not a valid proxy response."""


@dataclass(frozen=True)
class Exchange:
    """One request on its route; `path` is without stage and base path, percent-encoded as it was sent.

    `base` is the base path of the custom domain at which it arrived, None for the address of the API itself.
    """

    request: Request
    stage: str
    path: str
    match: Match
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    base: str | None = None

    @property
    def method_arn(self) -> str:
        """The ARN that an authorizer's policy must allow."""
        return arn("execute-api", f"{API_ID}/{self.stage}/{self.request.method}{self.path}")

    def event(self, authorizer: Json | None) -> bytes:
        """The event of the function."""
        body = self.request.body.decode("utf-8", "replace") or None
        context = self._context() | ({"authorizer": authorizer} if authorizer is not None else {})
        return json.dumps(self._common(context) | {"body": body, "isBase64Encoded": False}).encode()

    def authorizer_event(self) -> bytes:
        """The event of a REQUEST authorizer."""
        extra = {"type": "REQUEST", "methodArn": self.method_arn}
        return json.dumps(extra | self._common(self._context())).encode()

    def _common(self, context: Json) -> Json:
        query = parse_qsl(self.request.query, keep_blank_values=True)
        headers = [*self.request.headers, *self._added_headers()]
        return {
            "resource": self.match.route.path,
            "path": f"{self.base or ''}{self.path}",
            "httpMethod": self.request.method,
            "headers": dict(headers),
            "multiValueHeaders": _many(headers),
            "queryStringParameters": dict(query) or None,
            "multiValueQueryStringParameters": _many(query) or None,
            "pathParameters": self.match.parameters or None,
            "stageVariables": None,
            "requestContext": context,
        }

    def _added_headers(self) -> Headers:
        port = (self.request.header("Host") or "").partition(":")[2] or "80"
        return [
            ("X-Forwarded-For", _ADDRESS),
            ("X-Forwarded-Port", port),
            ("X-Forwarded-Proto", "http"),
            ("X-Amzn-Trace-Id", f"Root=1-{int(time.time()):08x}-{self.id.replace('-', '')[:24]}"),
        ]

    def _context(self) -> Json:
        now = time.time()
        host = self.request.header("Host") or _ADDRESS
        agent = self.request.header("User-Agent")
        return {
            "accountId": ACCOUNT,
            "apiId": API_ID,
            "domainName": host,
            "domainPrefix": host.partition(".")[0],
            "extendedRequestId": self.id,
            "requestId": self.id,
            "httpMethod": self.request.method,
            "identity": {"sourceIp": _ADDRESS, "userAgent": agent},
            "path": f"{f'/{self.stage}' if self.base is None else self.base}{self.path}",
            "protocol": "HTTP/1.1",
            "requestTime": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
            "requestTimeEpoch": int(now * 1000),
            "resourceId": "local",
            "resourcePath": self.match.route.path,
            "stage": self.stage,
        }


def answer(payload: bytes, request_id: str) -> Answer:
    """The HTTP response for a function's payload; raises InvalidProxyResponse."""
    try:
        content = json.loads(payload)
        body = content.get("body")
    except (ValueError, AttributeError) as error:
        raise InvalidProxyResponse from error
    if not isinstance(body, str | None):
        raise InvalidProxyResponse
    return Answer(*head(content, request_id), (body or "").encode())


def head(content: Json, request_id: str) -> tuple[int, Headers]:
    """Status and headers of the HTTP response for a function's; raises InvalidProxyResponse."""
    try:
        status = int(content["statusCode"])
        many = content.get("multiValueHeaders") or {}
        single = content.get("headers") or {}
        headers = [(name, _text(value)) for name, value in single.items() if name not in many]
        headers += [(name, _text(value)) for name, values in many.items() for value in values]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InvalidProxyResponse from error
    if not 100 <= status <= 599:
        raise InvalidProxyResponse
    kept = [(_remapped(name), value) for name, value in headers if name.lower() not in _FRAMING]
    if not any(name.lower() == "content-type" for name, _ in kept):
        kept.append(("Content-Type", "application/json"))
    return status, [*kept, ("x-amzn-RequestId", request_id)]


def _remapped(name: str) -> str:
    """API Gateway renames a challenge of a function, since its own authorizers send challenges."""
    return "x-amzn-Remapped-www-authenticate" if name.lower() == "www-authenticate" else name


def _text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, bool) else str(value)


def _many(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found
