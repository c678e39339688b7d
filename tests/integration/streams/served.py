"""The whole app in the local stack, and a client that reads server-sent events one by one."""

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from tests.fakes.openrouter import FakeOpenRouter
from tests.integration.app import CHEAP_MODEL, GOOD_KEY
from tests.local.functions.layout import Layout
from tests.local.seed import seed
from tests.local.stack import SOURCE, Stack
from tests.local.toy.calling import Reply, call
from tests.timeouts import HANG_SECONDS

JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Event:
    """One event, or a comment, which has only data."""

    name: str | None
    data: str
    id: str | None = None

    @property
    def json(self) -> Any:
        """The parsed data."""
        return json.loads(self.data)


class Reader:
    """A client that reads the events of one response."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        """Read no event yet."""
        self.response = response
        self.status = response.status
        self.headers = response.headers

    def next(self) -> Event | None:
        """Wait for the next event or comment; None at the end of the response."""
        fields: dict[str, str] = {}
        while line := self.response.readline():
            text = line.decode().rstrip("\n")
            if not text:
                return Event(fields.get("event"), fields.get("data", fields.get("", "")), fields.get("id"))
            name, _, value = text.partition(":")
            fields[name] = value.strip()
        return None

    def rest(self) -> list[Event]:
        """Read to the end of the response."""
        return [*iter(self.next, None)]

    @property
    def json(self) -> Any:
        """The body of a response that is no stream."""
        return json.loads(self.response.read())


@dataclass(frozen=True)
class Served:
    """A stack with a catalog, a user with a key, and a resource that streams."""

    stack: Stack
    fake: FakeOpenRouter
    token: str
    resource_id: str = ""

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """Send one request of the user."""
        return call(self.stack.url, method, path, body, Authorization=f"Bearer {self.token}", **JSON, **headers)

    def connect(self) -> None:
        """Save a key that works."""
        saved = self.call("POST", "/api/user/integrations/openrouter", {"api_key": GOOD_KEY})
        assert saved.status < 300, saved.body

    def resource(self, model: str = CHEAP_MODEL) -> str:
        """Create a resource; return its id."""
        config = {"model": model, "max_tokens": 200}
        body = {"resource_type": "openrouter_instant", "name": "Haiku", "config": config}
        created = self.call("POST", "/api/resources", body)
        assert created.status == 201, created.body
        return str(created.json["resource_id"])

    @contextmanager
    def stream(self, prompt: str, *, resource_id: str | None = None, **headers: str) -> Iterator[Reader]:
        """Execute a resource as a stream; its reader leaves at the end of the block."""
        body = {"resource_id": resource_id or self.resource_id, "inputs": {"prompt": prompt}}
        with self._reading("POST", "/api/execute/stream", json.dumps(body), headers) as reader:
            yield reader

    @contextmanager
    def resumed(self, execution_id: str, last: str | None = None) -> Iterator[Reader]:
        """Continue the stream of an execution after the event with the id `last`."""
        headers = {"Last-Event-ID": last} if last else {}
        with self._reading("GET", f"/api/executions/{execution_id}/stream", None, headers) as reader:
            yield reader

    @contextmanager
    def _reading(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> Iterator[Reader]:
        parts = urlsplit(self.stack.url)
        connection = http.client.HTTPConnection(parts.netloc, timeout=HANG_SECONDS)
        token = {"Authorization": f"Bearer {self.token}"}
        connection.request(method, parts.path + path, body, {**token, **JSON, **headers})
        try:
            yield Reader(connection.getresponse())
        finally:
            connection.close()


@contextmanager
def served(code: Layout = SOURCE) -> Iterator[Served]:
    """Start the stack on this code, with a fake OpenRouter."""
    limits = {"RatePerMinute": "10000", "ExecutePerMinute": "10000", "KeyChecksPerHour": "10000", "MostInFlight": "100"}
    with FakeOpenRouter() as fake, Stack(upstream_url=fake.url, code=code, parameters=limits) as stack:
        sync = {"source": "instant.resources", "detail-type": "openrouter/models.sync", "detail": {}}
        assert not stack.invoke("CatalogSyncFunction", sync).failed
        running = Served(stack, fake, seed(stack)["alice"])
        running.connect()
        yield replace(running, resource_id=running.resource())
