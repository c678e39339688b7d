"""Reads functions, routes, authorizers, rules and schedules from a deployed template."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.local.aws.arns import last_part
from tests.local.aws.deployment import Deployment
from tests.local.template import Json


@dataclass(frozen=True)
class FunctionPlan:
    """One Lambda function: its configuration, its policy statements, and its dead letter queue."""

    name: str
    handler: str
    timeout: int
    memory: int
    environment: dict[str, str]
    layers: tuple[str, ...]
    logging: dict[str, str]
    statements: tuple[Json, ...]
    attempts: int = 3
    dead_letters: str | None = None


@dataclass(frozen=True)
class Route:
    """One method of one path (with `{parameters}`), its function, its authorizer, if any, and its time limit.

    `streams` means that responses are passed on while the function sends them.
    """

    method: str
    path: str
    function: str
    authorizer: str | None
    seconds: float = 29.0
    streams: bool = False


@dataclass(frozen=True)
class AuthorizerPlan:
    """A REQUEST authorizer: its function, its identity headers, and the time to live of cached policies."""

    function: str
    headers: tuple[str, ...]
    seconds: int


@dataclass(frozen=True)
class Rule:
    """An EventBridge rule: its target function, its bus and its pattern (JSON)."""

    function: str
    bus: str
    pattern: str


@dataclass(frozen=True)
class Schedule:
    """A scheduled rule of a function, with its constant input (JSON), if it has one."""

    function: str
    name: str
    input: str | None


@dataclass(frozen=True)
class Plan:
    """The configuration of the local stack."""

    functions: dict[str, FunctionPlan]
    stage: str = "local"
    routes: tuple[Route, ...] = ()
    authorizers: dict[str, AuthorizerPlan] = field(default_factory=dict)
    gateway_responses: dict[str, Json] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    schedules: tuple[Schedule, ...] = ()

    @property
    def operations(self) -> tuple[Route, ...]:
        """The routes without HEAD and OPTIONS, which follow from them."""
        return tuple(route for route in self.routes if route.method not in {"HEAD", "OPTIONS"})


def plan(deployment: Deployment) -> Plan:
    """Read a deployment; raises ValueError for unsupported features."""
    if len(deployment.apis) > 1:
        raise ValueError("the local stack serves one API, the template has several")
    api = next(iter(deployment.apis.values()), {})
    auth = api.get("Auth", {})
    events = list(_events(deployment))
    return Plan(
        functions={name: _function(name, p) for name, p in deployment.functions.items()},
        stage=api.get("StageName", "local"),
        routes=tuple(_route(f, e, auth.get("DefaultAuthorizer")) for f, _, kind, e in events if kind == "Api"),
        authorizers={name: _authorizer(a) for name, a in auth.get("Authorizers", {}).items()},
        gateway_responses=api.get("GatewayResponses", {}),
        rules=tuple(_rule(f, e) for f, _, kind, e in events if kind == "EventBridgeRule"),
        schedules=tuple(Schedule(f, n, e.get("Input")) for f, n, kind, e in events if kind == "Schedule"),
    )


def _events(deployment: Deployment) -> Iterator[tuple[str, str, str, Json]]:
    for function, properties in deployment.functions.items():
        for name, event in properties.get("Events", {}).items():
            if event["Type"] not in ("Api", "EventBridgeRule", "Schedule"):
                raise ValueError(f"{function}.{name}: the local stack has no events of type {event['Type']}")
            yield function, name, event["Type"], event.get("Properties", {})


def _function(name: str, properties: Json) -> FunctionPlan:
    variables = properties.get("Environment", {}).get("Variables", {})
    asynchronous = properties.get("EventInvokeConfig", {})
    dead_letters = _queue(name, asynchronous.get("DestinationConfig", {}))
    return FunctionPlan(
        name=name,
        handler=properties["Handler"],
        timeout=int(properties.get("Timeout", 3)),
        memory=int(properties.get("MemorySize", 128)),
        environment={key: _text(value) for key, value in variables.items()},
        layers=tuple(last_part(layer) for layer in properties.get("Layers", [])),
        logging=properties.get("LoggingConfig", {}),
        statements=(*_statements(name, properties.get("Policies", [])), *_sending(dead_letters)),
        attempts=1 + int(asynchronous.get("MaximumRetryAttempts", 2)),
        dead_letters=dead_letters,
    )


def _statements(function: str, policies: Any) -> Iterator[Json]:
    for policy in policies if isinstance(policies, list) else [policies]:
        if not isinstance(policy, dict) or "Statement" not in policy:
            raise ValueError(f"{function}: the local stack reads plain Statement policies only, not {policy}")
        statements = policy["Statement"]
        yield from statements if isinstance(statements, list) else [statements]


def _queue(function: str, destinations: Json) -> str | None:
    """The ARN of the queue for failed events."""
    if not destinations:
        return None
    if destinations.keys() != {"OnFailure"} or destinations["OnFailure"]["Type"] != "SQS":
        raise ValueError(f"{function}: the local stack supports only queues as destinations, and only for failures")
    return str(destinations["OnFailure"]["Destination"])


def _sending(queue: str | None) -> Iterator[Json]:
    """The statement that SAM adds for a destination."""
    if queue:
        yield {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": queue}


def _text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, bool) else str(value)


def _route(function: str, event: Json, default_authorizer: str | None) -> Route:
    authorizer = event.get("Auth", {}).get("Authorizer", default_authorizer)
    return Route(
        method=event["Method"].upper(),
        path=event["Path"],
        function=function,
        authorizer=None if authorizer == "NONE" else authorizer,
        seconds=int(event.get("TimeoutInMillis", 29_000)) / 1000,
        streams=event.get("ResponseTransferMode") == "RESPONSE_STREAM",
    )


def _authorizer(properties: Json) -> AuthorizerPlan:
    identity = properties.get("Identity", {})
    if properties.get("FunctionPayloadType") != "REQUEST" or identity.keys() - {"Headers", "ReauthorizeEvery"}:
        raise ValueError("the local stack supports only REQUEST authorizers with identity headers")
    return AuthorizerPlan(
        function=last_part(properties["FunctionArn"]),
        headers=tuple(identity.get("Headers", [])),
        seconds=int(identity.get("ReauthorizeEvery", 300)),
    )


def _rule(function: str, event: Json) -> Rule:
    bus = last_part(event.get("EventBusName", "default"))
    return Rule(function, bus, json.dumps(event["Pattern"]))
