"""The files of the toy application, and helpers that call it over HTTP and call AWS through it."""

import http.client
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.local.functions.layout import Source
from tests.local.stack import Stack
from tests.timeouts import HANG_SECONDS

TOY = Path(__file__).parent
TEMPLATE = TOY / "template.yaml"
CODE = Source((TOY, TOY.parents[2] / "layers/core"))


@dataclass(frozen=True)
class Reply:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def call(url: str, method: str, path: str, body: Any = None, **headers: str) -> Reply:
    """Send one request on a new connection; `body` is sent unchanged if it is bytes, otherwise as JSON."""
    parts = urlsplit(url)
    content = body if body is None or isinstance(body, bytes) else json.dumps(body)
    connection = http.client.HTTPConnection(parts.netloc, timeout=HANG_SECONDS)
    try:
        connection.request(method, parts.path + path, content, headers)
        answer = connection.getresponse()
        return Reply(answer.status, answer.headers, answer.read())
    finally:
        connection.close()


def ask(toy: Stack, service: str, method: str, **arguments: Any) -> Any:
    """The result of an AWS call by CallerFunction; `code` is None if the call was allowed."""
    event = {"service": service, "method": method, "arguments": arguments}
    return toy.invoke("CallerFunction", event).content


def row(toy: Stack, things: str, key: str) -> dict[str, Any]:
    found: dict[str, Any] = toy.client("dynamodb").get_item(TableName=things, Key={"id": {"S": key}})
    return dict(found.get("Item", {}))
