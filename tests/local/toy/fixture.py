"""The toy application on a local stack, one for all tests, and how to talk to it."""

import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.local.layout import Source
from tests.local.stack import Stack

TOY = Path(__file__).parent
TEMPLATE = TOY / "template.yaml"
CODE = Source((TOY,))


@dataclass(frozen=True)
class Reply:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def call(url: str, method: str, path: str, body: Any = None, **headers: str) -> Reply:
    """One request on a connection of its own; `body` is sent as it is if it is bytes, else as JSON."""
    parts = urlsplit(url)
    content = body if body is None or isinstance(body, bytes) else json.dumps(body)
    connection = http.client.HTTPConnection(parts.netloc, timeout=30)
    try:
        connection.request(method, parts.path + path, content, headers)
        answer = connection.getresponse()
        return Reply(answer.status, answer.headers, answer.read())
    finally:
        connection.close()


@pytest.fixture(scope="session")
def toy() -> Iterator[Stack]:
    with Stack(template=TEMPLATE, code=CODE, parameters={"Limit": "9"}) as stack:
        yield stack


@pytest.fixture
def things(toy: Stack) -> str:
    """The physical name of the toy's table."""
    return toy.environment("CallerFunction")["THINGS_TABLE"]
