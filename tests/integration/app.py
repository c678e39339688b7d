"""The whole app in one process: the template's tables on moto, every function's app.py, a fake OpenRouter."""

import importlib
import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self
from unittest import mock
from urllib.parse import urlencode

import botocore.session
from moto import mock_aws

from instant.adapters.aws import client as aws
from instant.ports.clock import Clock
from tests.fakes.aws_stores import disable_instance_tracking, empty_stores, kept_tables, set_back
from tests.fakes.clock import SleeplessClock
from tests.fakes.openrouter import FakeOpenRouter
from tests.local import quick_moto, quick_transactions
from tests.local.aws.deployment import deploy
from tests.local.plan import FunctionPlan, Plan, Route, plan
from tests.local.template import read

ROOT = Path(__file__).parents[2]
GOOD_KEY = "sk-or-v1-" + "0123456789abcdef" * 4
EVERYTHING = "admin execute manage read"
CHEAP_MODEL = "juniper/quill-7b"
"""An ordinary text model of the fake catalog."""

EMBEDDINGS = "openrouter_embeddings"
EMBEDDER = "northwind/compass-embed-small"
"""The resource type of embeddings, and the embeddings model of the fake catalog."""

EXECUTING = ("ExecuteFunction", "StreamFunction", "OpenaiFunction")
"""The functions that execute resources."""

CALLBACKS = ("https://good.example/callback", "http://localhost:3000/callback")
"""The allowed callback URLs."""

TEMPLATE = read(ROOT / "template.yaml")
HIGH_LIMITS = {"RatePerMinute": "10000", "ExecutePerMinute": "10000", "KeyChecksPerHour": "10000"}
"""Rate limits above what any test uses."""
_SESSION = botocore.session.get_session()
quick_moto.install_fast_paths()
quick_transactions.install_fast_paths()

AWS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
}


@dataclass(frozen=True)
class Answer:
    """The HTTP response that a caller receives."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        """The parsed body."""
        return json.loads(self.text)

    @property
    def code(self) -> str:
        """The error's code."""
        return str(self.json["error"]["code"])


class Context:
    """The part of Lambda's context that the functions use; the remaining time is constant."""

    function_name = "test"
    memory_limit_in_mb = 1024
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:test"
    aws_request_id = "00000000-0000-4000-8000-000000000000"

    def __init__(self, seconds: float) -> None:
        """Set the remaining time of the invocation."""
        self._milliseconds = round(seconds * 1000)

    def get_remaining_time_in_millis(self) -> int:
        """Return the remaining time."""
        return self._milliseconds


@dataclass
class App:
    """Functions by logical id, invoked with the events of API Gateway."""

    plan: Plan
    fake: FakeOpenRouter
    seconds: float = 110
    modules: dict[str, Any] = field(default_factory=dict)
    prepared: dict[str, Any] = field(default_factory=dict)
    """Copies of the tables, by the name of the preparation."""

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        user: str | None = "alice",
        scopes: str = EVERYTHING,
        key_id: str | None = None,
        query: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
        raw: str | None = None,
        is_base64: bool = False,
        until: str | None = None,
        received_at: int | None = None,
    ) -> Answer:
        """Send a request as `user`, with the API key `key_id` that expires at `until`; `raw` is a body as sent.

        `received_at` is when the gateway received it, in milliseconds since 1970.
        """
        route, parameters = self._match(method, path)
        text = raw if raw is not None else (json.dumps(body) if body is not None else None)
        event = _event(route, path, parameters, text, headers or {}, query or {}, user, scopes, key_id)
        if until:
            event["requestContext"]["authorizer"]["expires_at"] = until
        if received_at is not None:
            event["requestContext"]["requestTimeEpoch"] = received_at
        return answer_of(self.invoke(route.function, event | {"isBase64Encoded": is_base64}))

    def invoke(self, function: str, event: dict[str, Any]) -> Any:
        """Call a function's handler with `event`."""
        return self.module(function).handler(event, Context(self.seconds))

    def module(self, function: str) -> Any:
        """A function's app.py, imported once with exactly the environment that the template gives it."""
        if function not in self.modules:
            found = self.plan.functions[function]
            with mock.patch.dict(os.environ, found.environment):
                self.modules[function] = _import(found)
            if function in EXECUTING:
                set_clock(self, SleeplessClock(), function)
        return self.modules[function]

    def table(self, logical: str) -> list[dict[str, Any]]:
        """Return every row of the table that this environment variable names."""
        name = self.name(logical)
        return [*aws.client("dynamodb").get_paginator("scan").paginate(TableName=name).search("Items")]

    def name(self, variable: str) -> str:
        """Return the value of an environment variable of any function."""
        return next(f.environment[variable] for f in self.plan.functions.values() if variable in f.environment)

    def sync(self, **detail: object) -> Any:
        """Sync the catalog with an event that has this detail."""
        event = {"source": "instant.resources", "detail-type": "openrouter/models.sync", "detail": detail}
        return self.invoke("CatalogSyncFunction", event)

    def retire(self, model: str) -> None:
        """Expire a model, then remove it from the catalog."""
        rows = self.fake.catalog
        self.fake.catalog = [{**row, "expiration_date": "2026-01-01"} if row["id"] == model else row for row in rows]
        self.sync()
        self.fake.catalog = [row for row in rows if row["id"] != model]
        self.sync()

    def connect(self, user: str = "alice", key: str = GOOD_KEY, **more: object) -> Answer:
        """Save an OpenRouter key."""
        return self.call("POST", "/api/user/integrations/openrouter", {"api_key": key, **more}, user=user)

    def resource(self, user: str = "alice", *, config: dict[str, Any] | None = None, **more: object) -> dict[str, Any]:
        """Create a resource that uses a cheap model; the settings of an embeddings resource are those given."""
        defaults = {} if more.get("resource_type") == EMBEDDINGS else {"model": CHEAP_MODEL, "max_tokens": 200}
        body = {
            "resource_type": "openrouter_instant",
            "name": "Haiku",
            "config": {**defaults, **(config or {})},
            **more,
        }
        answer = self.call("POST", "/api/resources", body, user=user)
        assert answer.status == 201, answer.text
        return dict(answer.json)

    def execute(self, resource_id: str, prompt: str = "Say hello.", *, user: str = "alice", **more: object) -> Answer:
        """Execute a resource."""
        return self.call(
            "POST", "/api/execute", {"resource_id": resource_id, "inputs": {"prompt": prompt}, **more}, user=user
        )

    def empty(self) -> None:
        """Delete everything stored and reset the fake; the functions stay warm."""
        empty_stores()
        self.fake.begin_again()
        self.seconds = App.seconds

    def prepare(self, name: str, make: Callable[[], object]) -> None:
        """Reset to the tables that `make` filled when this name was first used; reset the fake as well."""
        self.empty()
        if name not in self.prepared:
            make()
            self.prepared[name] = kept_tables()
            self.fake.begin_again()
        set_back(self.prepared[name])

    def __enter__(self) -> Self:
        """Clear the cached AWS clients."""
        aws.client.cache_clear()
        return self

    def __exit__(self, *_: object) -> None:
        """Close the app and clear the cached AWS clients."""
        self.close()
        aws.client.cache_clear()

    def close(self) -> None:
        """Close the functions' connections to the fake."""
        for module in self.modules.values():
            deps = getattr(module, "deps", module)
            if hasattr(deps, "upstream"):
                deps.upstream.close()

    def _match(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        for route in self.plan.routes:
            pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", route.path)
            found = re.fullmatch(pattern, path)
            if route.method == method and found:
                return route, found.groupdict()
        raise LookupError(f"the template has no route {method} {path}")


@contextmanager
def deployed_app(**given: str) -> Iterator[App]:
    """Deploy a new app with these template parameters, and remove it at the end."""
    with (
        mock.patch.dict(os.environ, AWS),
        mock_aws(),
        FakeOpenRouter() as fake,
        App(deployed(fake, **given), fake) as app,
    ):
        yield app


def deployed(fake: FakeOpenRouter, **given: str) -> Plan:
    """Deploy the template with these parameters into the empty simulated cloud."""
    disable_instance_tracking()
    cloudformation = _SESSION.create_client("cloudformation")
    parameters = {
        "Stage": "test",
        "OpenRouterBaseUrl": fake.url,
        "OpenRouterAuthUrl": fake.auth_url,
        "ConnectCallbackUrls": ",".join(CALLBACKS),
        "CatalogFreshSeconds": "0",
        **HIGH_LIMITS,
        **given,
    }
    return plan(deploy(cloudformation, TEMPLATE, parameters))


def set_clock(app: App, clock: Clock, function: str = "CatalogSyncFunction") -> None:
    """Replace the clock of a function."""
    deps = app.module(function).deps
    if hasattr(deps, "media"):
        deps = replace(deps, ledger=replace(deps.ledger, clock=clock))
    app.module(function).deps = replace(deps, clock=clock)


def answer_of(reply: dict[str, Any] | bytes) -> Answer:
    """Convert a Lambda proxy response, or a prelude with its body, to the HTTP response of the caller."""
    if isinstance(reply, bytes):
        prelude, _, body = reply.partition(bytes(8))
        reply = {**json.loads(prelude), "body": body.decode()}
    headers = {name: values[0] for name, values in reply.get("multiValueHeaders", {}).items()}
    return Answer(reply["statusCode"], {**headers, **reply.get("headers", {})}, reply.get("body") or "")


def _import(function: FunctionPlan) -> Any:
    module = function.handler.rsplit(".", 1)[0]
    sys.modules.pop(module, None)
    return importlib.import_module(module)


def _event(
    route: Route,
    path: str,
    parameters: dict[str, str],
    body: str | None,
    headers: dict[str, str],
    query: dict[str, str],
    user: str | None,
    scopes: str,
    key_id: str | None,
) -> dict[str, Any]:
    sent = {"Content-Type": "application/json", **headers} if body is not None else headers
    caller = {"user_id": f"user_{user}", "scopes": scopes, "principalId": f"user_{user}"}
    authorizer = {**caller, "key_id": key_id} if key_id else caller
    return {
        "resource": route.path,
        "path": path,
        "httpMethod": route.method,
        "headers": sent or None,
        "multiValueHeaders": {name: [value] for name, value in sent.items()} or None,
        "queryStringParameters": query or None,
        "multiValueQueryStringParameters": {name: [value] for name, value in query.items()} or None,
        "pathParameters": parameters or None,
        "stageVariables": None,
        "requestContext": {
            "stage": "test",
            "domainName": "api.example",
            "requestId": "request-1",
            "httpMethod": route.method,
            "resourcePath": route.path,
            "path": f"/test{path}?{urlencode(query)}",
            **({"authorizer": authorizer} if route.authorizer else {}),
        },
        "body": body,
        "isBase64Encoded": False,
    }
