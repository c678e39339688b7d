"""REQUEST authorizers in the order of API Gateway: identity sources, cache, function, policy."""

import json
import threading
import time
from collections.abc import Callable
from typing import Any

from tests.local.api.proxy import Exchange
from tests.local.aws.permissions import as_list, matches
from tests.local.functions.invocation import Outcome
from tests.local.plan import AuthorizerPlan
from tests.local.template import Json

type Invoke = Callable[[str, bytes], Outcome]


class Refused(Exception):
    """The gateway returns a gateway response of this type and message instead of calling the function."""

    def __init__(self, kind: str, message: str | None) -> None:
        """Takes a gateway response type, such as UNAUTHORIZED."""
        super().__init__(kind)
        self.kind = kind
        self.message = message


class Authorizer:
    """One authorizer with its cache of policies."""

    def __init__(self, plan: AuthorizerPlan, invoke: Invoke, clock: Callable[[], float] = time.monotonic) -> None:
        """Takes the plan, whose `seconds` are the time to live of the cache, and a function that invokes Lambda."""
        self._plan = plan
        self._invoke = invoke
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, ...], tuple[float, Json]] = {}

    def context(self, exchange: Exchange) -> Json:
        """Return the value of `requestContext.authorizer`; raises Refused if the request is not allowed."""
        started = self._clock()
        identity = self._identity(exchange)
        answer = self._cached(identity)
        if answer is None:
            answer = self._request_policy(exchange)
            with self._lock:
                self._kept[identity] = (self._clock() + self._plan.seconds, answer)
        _require_allow(answer["policyDocument"], exchange.method_arn)
        texts = {key: _text(value) for key, value in (answer.get("context") or {}).items()}
        latency = int((self._clock() - started) * 1000)
        return texts | {"principalId": answer["principalId"], "integrationLatency": latency}

    def _identity(self, exchange: Exchange) -> tuple[str, ...]:
        values = [exchange.request.header(name) for name in self._plan.headers]
        present = tuple(value for value in values if value)
        if len(present) < len(values):
            raise Refused("UNAUTHORIZED", "Unauthorized")
        return present

    def _cached(self, identity: tuple[str, ...]) -> Json | None:
        with self._lock:
            until, answer = self._kept.get(identity, (0.0, None))
            return answer if self._plan.headers and self._clock() < until else None

    def _request_policy(self, exchange: Exchange) -> Json:
        outcome = self._invoke(self._plan.function, exchange.authorizer_event())
        if outcome.failed:
            if _message(outcome) == "Unauthorized":
                raise Refused("UNAUTHORIZED", "Unauthorized")
            raise Refused("AUTHORIZER_CONFIGURATION_ERROR", None)
        return _checked(outcome)


def _message(outcome: Outcome) -> Any:
    error = json.loads(outcome.payload)
    return error.get("errorMessage") if isinstance(error, dict) else None


def _checked(outcome: Outcome) -> Json:
    answer = json.loads(outcome.payload)
    well_formed = (
        isinstance(answer, dict)
        and isinstance(answer.get("principalId"), str)
        and isinstance(answer.get("policyDocument"), dict)
        and isinstance(answer["policyDocument"].get("Statement"), dict | list)
        and all(isinstance(v, str | int | float | bool) for v in (answer.get("context") or {}).values())
    )
    if not well_formed:
        raise Refused("AUTHORIZER_CONFIGURATION_ERROR", None)
    return dict(answer)


def _require_allow(policy: Json, method_arn: str) -> None:
    effects = {s["Effect"] for s in as_list(policy["Statement"]) if _covers(s, method_arn)}
    if "Deny" in effects:
        message = "User is not authorized to access this resource with an explicit deny"
        raise Refused("ACCESS_DENIED", message)
    if "Allow" not in effects:
        raise Refused("ACCESS_DENIED", "User is not authorized to access this resource")


def _covers(statement: Json, method_arn: str) -> bool:
    actions = any(matches(a, "execute-api:Invoke", ignore_case=True) for a in as_list(statement["Action"]))
    return actions and any(matches(resource, method_arn) for resource in as_list(statement["Resource"]))


def _text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, bool) else str(value)
