"""A running stack with the users alice, bob and admin: HTTP requests to it, and access to everything it stores."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.fakes.openrouter import FakeOpenRouter
from tests.integration.browser import allow
from tests.local.functions.layout import Layout
from tests.local.seed import seed
from tests.local.stack import Stack
from tests.local.toy.calling import Reply, call

OPENROUTER_KEYS = {name: f"sk-or-v1-{sha256(name.encode()).hexdigest()}" for name in ("alice", "bob", "eve")}
"""The OpenRouter key of each user; eve is the user of the example events."""


@dataclass
class World:
    """A stack, the fake OpenRouter, the API keys of its users, and the log file of its functions."""

    stack: Stack
    fake: FakeOpenRouter
    keys: dict[str, str]
    log: Path

    def call(self, user: str | None, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """Send one request; `user` is a name in `keys`, None sends no token."""
        token = {"Authorization": f"Bearer {self.keys[user]}"} if user else {}
        return call(self.stack.url, method, path, body, **token, **headers)

    def done(self, status: int, user: str | None, method: str, path: str, body: Any = None) -> Any:
        """Send one request, assert its status, and return its JSON."""
        reply = self.call(user, method, path, body)
        assert reply.status == status, (method, path, reply.status, reply.body)
        return reply.json if reply.body else None

    def sync(self) -> None:
        """Sync the catalog as admin, through the event bus."""
        self.done(202, "admin", "POST", "/api/admin/sync-models")
        self.stack.settle()

    def connect(self, user: str) -> Any:
        """Save the OpenRouter key of a user."""
        return self.done(201, user, "POST", "/api/user/integrations/openrouter", {"api_key": OPENROUTER_KEYS[user]})

    def connect_in_browser(self, user: str) -> Any:
        """Connect a user in the browser: authorize on the page of OpenRouter, and complete with PKCE."""
        path = "/api/user/integrations/openrouter/connect"
        started = self.done(200, user, "POST", path, {"callback_url": "http://localhost:3000/callback"})
        self.fake.queue_key(OPENROUTER_KEYS[user])
        callback, returned = allow(started["authorize_url"])
        assert (callback, returned["state"]) == ("http://localhost:3000/callback", started["state"])
        proof = {"code": returned["code"], "code_verifier": started["code_verifier"]}
        return self.done(201, user, "POST", f"{path}/complete", proof)

    def resource(self, user: str, **more: object) -> Any:
        """Create a resource with a cheap text model."""
        query = "sort=price&free=false&supported_parameter=max_tokens&output_modality=text&limit=200"
        rows = self.done(200, None, "GET", f"/api/models?{query}")["data"]
        usable = (row for row in rows if row["usable"] and not row["openrouter_id"].startswith(("faulty/", "~")))
        config = {"model": next(usable)["openrouter_id"], "max_tokens": 200}
        about = {"resource_type": "openrouter_instant", "name": "Haiku", "config": config}
        return self.done(201, user, "POST", "/api/resources", {**about, **more})

    def execute(self, user: str, prompt: str, **which: str) -> Reply:
        """Execute a resource by `resource_id` or by `resource`, its address."""
        return self.call(user, "POST", "/api/execute", {**which, "inputs": {"prompt": prompt}})

    def name(self, variable: str) -> str:
        """The value of an environment variable, from the first function that has it."""
        plans = self.stack.plan.functions.values()
        return next(plan.environment[variable] for plan in plans if variable in plan.environment)

    def rows(self, variable: str) -> list[dict[str, Any]]:
        """Every row of the table in this environment variable."""
        pages = self.stack.client("dynamodb").get_paginator("scan").paginate(TableName=self.name(variable))
        return [*pages.search("Items")]

    def stored(self) -> dict[str, bytes]:
        """The content of all tables, buckets and queues, by table, object key and message id."""
        dynamodb, s3 = self.stack.client("dynamodb"), self.stack.client("s3")
        found: dict[str, bytes] = {}
        for table in dynamodb.list_tables()["TableNames"]:
            items = [*dynamodb.get_paginator("scan").paginate(TableName=table).search("Items")]
            found[table] = json.dumps(items, default=lambda binary: binary.decode("latin-1")).encode()
        for bucket in s3.list_buckets()["Buckets"]:
            for entry in s3.list_objects_v2(Bucket=bucket["Name"]).get("Contents", []):
                found[entry["Key"]] = s3.get_object(Bucket=bucket["Name"], Key=entry["Key"])["Body"].read()
        for queue in self.queues():
            for message in self.messages(queue):
                found[message["MessageId"]] = message["Body"].encode()
        return found

    def queues(self) -> list[str]:
        """The URLs of all queues."""
        return list(self.stack.client("sqs").list_queues().get("QueueUrls", []))

    def messages(self, queue: str) -> list[dict[str, Any]]:
        """Up to ten messages of a queue, which stay visible."""
        answer = self.stack.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=0)
        return list(answer.get("Messages", []))


@contextmanager
def open_world(code: Layout, log: Path, **options: Any) -> Iterator[World]:
    """Start a new stack with `code`; `options` are those of `Stack`."""
    with (
        log.open("ab") as lines,
        FakeOpenRouter() as fake,
        Stack(code=code, upstream_url=fake.url, log=lines.fileno(), **options) as stack,
    ):
        yield World(stack, fake, seed(stack), log)
