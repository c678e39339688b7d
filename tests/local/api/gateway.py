"""The REST API: routing, authorization and proxy integration of a request."""

import threading
import time
import uuid
from collections.abc import Callable, Mapping
from itertools import chain

from tests.local.api.authorizer import Authorizer, Refused
from tests.local.api.proxy import Exchange, InvalidProxyResponse, answer, head
from tests.local.api.responses import GatewayResponses
from tests.local.api.routes import Routes
from tests.local.api.server import Answer, Request
from tests.local.api.streams import IDLE_SECONDS, Pieces, read_prelude
from tests.local.functions.invocation import EventTooLarge, Outcome
from tests.local.plan import Plan, Route

REQUEST_LIMIT = 10 * 1024 * 1024
"""The maximum size of a request body in bytes."""

type Invoke = Callable[..., Outcome]
"""Takes a function, an event, and for a function that streams also where its pieces go."""


class Gateway:
    """Answers HTTP requests under the stage prefix like a REST API with Lambda proxy integrations."""

    def __init__(
        self,
        plan: Plan,
        invoke: Invoke,
        timeout: float | None = None,
        clock: Callable[[], float] = time.monotonic,
        grace: float = 0,
        domains: Mapping[str, str] | None = None,
        idle: float = IDLE_SECONDS,
    ) -> None:
        """The integration timeout is `timeout` seconds, or that of the route, plus `grace`; the function continues.

        `clock` is for cached policies. `domains` maps custom domain names to their base paths, such as `/v1`. A stream
        is also cut off after `idle` seconds, plus `grace`, in which nothing arrives.
        """
        self._stage = plan.stage
        self._domains = dict(domains or {})
        self._grace = grace
        self._routes = Routes(plan.routes)
        self._authorizers = {name: Authorizer(a, invoke, clock) for name, a in plan.authorizers.items()}
        self._responses = GatewayResponses(plan.gateway_responses)
        self._invoke = invoke
        self._timeout = timeout
        self._idle = idle

    def answer(self, request: Request) -> Answer:
        """The response to any request; rejected requests get the gateway responses of the template."""
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
        pieces = self._run(exchange.match.route, exchange.event(context))
        try:
            return (_stream if exchange.match.route.streams else _whole)(pieces, request_id)
        except TimeoutError:
            raise Refused("INTEGRATION_TIMEOUT", "Endpoint request timed out") from None
        except EventTooLarge:
            raise Refused("REQUEST_TOO_LARGE", "Request Too Long") from None
        except (ConnectionError, InvalidProxyResponse):
            raise Refused("INTEGRATION_FAILURE", "Internal server error") from None

    def _exchange(self, request: Request, request_id: str) -> Exchange:
        base = self._domains.get(request.header("Host") or "")
        prefix = f"/{self._stage}" if base is None else base
        path = request.path.removeprefix(prefix)
        found = request.path.startswith(f"{prefix}/") and self._routes.find(request.method, path)
        if not found:
            raise _no_route(request)
        return Exchange(request, self._stage, path, found, request_id, base)

    def _run(self, route: Route, event: bytes) -> Pieces:
        """Start the function, which goes on even if nobody waits for its response."""
        seconds = route.seconds if self._timeout is None else self._timeout
        pieces = Pieces(seconds + self._grace, self._idle + self._grace)
        sink = (pieces.add,) if route.streams else ()

        def invoke() -> None:
            try:
                pieces.end(self._invoke(route.function, event, *sink))
            except EventTooLarge:
                pieces.end(None)

        threading.Thread(target=invoke, daemon=True).start()
        return pieces


def _whole(pieces: Pieces, request_id: str) -> Answer:
    outcome = pieces.outcome()
    if outcome.failed:
        raise InvalidProxyResponse
    return answer(outcome.payload, request_id)


def _stream(pieces: Pieces, request_id: str) -> Answer:
    """The response as soon as its prelude is there; its body follows, or is cut off if the function fails."""
    arriving = iter(pieces)
    prelude, rest = read_prelude(arriving)
    return Answer(*head(prelude, request_id), pieces=chain([rest] if rest else [], arriving))


def _no_route(request: Request) -> Refused:
    """On a path that is no route, API Gateway reads any Authorization header as an AWS signature, and quotes it."""
    token = request.header("Authorization")
    if token is None:
        return Refused("MISSING_AUTHENTICATION_TOKEN", "Missing Authentication Token")
    problem = f"{token!r} not a valid key=value pair (missing equal-sign) in Authorization header"
    return Refused("INVALID_SIGNATURE", problem)
