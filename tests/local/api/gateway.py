"""The REST front: API Gateway's part of a request, from the socket to the function and back."""

import threading
import time
import uuid
from collections.abc import Callable
from queue import Empty, SimpleQueue

from tests.local.api.authorizer import Authorizer, Refused
from tests.local.api.proxy import Exchange, NotProxyAnswer, answer
from tests.local.api.responses import GatewayResponses
from tests.local.api.routes import Routes
from tests.local.api.server import Answer, Request
from tests.local.functions.invocation import EventTooLarge, Outcome
from tests.local.plan import Plan

REQUEST_LIMIT = 10 * 1024 * 1024
"""Bytes a request body may have."""

type Invoke = Callable[[str, bytes], Outcome]


class Gateway:
    """Answers HTTP requests under the stage prefix the way a REST API with Lambda proxies does."""

    def __init__(
        self, plan: Plan, invoke: Invoke, timeout: float = 29.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Gives up after `timeout` seconds; the function goes on. `clock` tells how old a policy is."""
        self._stage = plan.stage
        self._routes = Routes(plan.routes)
        self._authorizers = {name: Authorizer(a, invoke, clock) for name, a in plan.authorizers.items()}
        self._responses = GatewayResponses(plan.gateway_responses)
        self._invoke = invoke
        self._timeout = timeout

    def answer(self, request: Request) -> Answer:
        """The answer to any request; what the gateway refuses is rendered from the template."""
        request_id = str(uuid.uuid4())
        try:
            return self._answer(request, request_id)
        except Refused as refused:
            return self._responses.answer(refused.kind, refused.message, request_id)

    def _answer(self, request: Request, request_id: str) -> Answer:
        if request.oversized:
            message = f"HTTP content length exceeded {REQUEST_LIMIT} bytes."
            raise Refused("REQUEST_TOO_LARGE", message)
        exchange = self._exchange(request, request_id)
        authorizer = exchange.match.route.authorizer
        context = self._authorizers[authorizer].context(exchange) if authorizer else None
        outcome = self._run(exchange.match.route.function, exchange.event(context))
        try:
            if not outcome.failed:
                return answer(outcome.payload, request_id)
        except NotProxyAnswer:
            pass
        raise Refused("INTEGRATION_FAILURE", "Internal server error")

    def _exchange(self, request: Request, request_id: str) -> Exchange:
        _, stage, rest = (*request.path.split("/", 2), "", "")[:3]
        match = self._routes.find(request.method, f"/{rest}") if stage == self._stage else None
        if match is None:
            raise Refused("MISSING_AUTHENTICATION_TOKEN", "Missing Authentication Token")
        return Exchange(request, stage, f"/{rest}", match, request_id)

    def _run(self, function: str, event: bytes) -> Outcome:
        outcomes: SimpleQueue[Outcome | None] = SimpleQueue()

        def invoke() -> None:
            try:
                outcomes.put(self._invoke(function, event))
            except EventTooLarge:
                outcomes.put(None)

        threading.Thread(target=invoke, daemon=True).start()
        try:
            outcome = outcomes.get(timeout=self._timeout)
        except Empty:
            raise Refused("INTEGRATION_TIMEOUT", "Endpoint request timed out") from None
        if outcome is None:
            raise Refused("REQUEST_TOO_LARGE", "Request Too Long")
        return outcome
