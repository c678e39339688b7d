"""A simulated service that charges for each call that it begins, and answers, fails, is slow or loses its response."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any
from urllib.parse import parse_qs, urlsplit

from instant.domain.clock import LEASE_SLACK, parse_time
from instant.domain.errors import DeadlineExceeded, OutcomeUnknown, UpstreamUnavailable
from instant.domain.exchange import Reply, Request
from instant.domain.executions.execution import Opening, State
from instant.domain.executions.failure import Effect, Failure
from instant.domain.executions.receipt import Receipt
from instant.domain.money import usd_text
from tests.fakes.clock import START
from tests.fakes.ledger import MemoryLedger, Refused
from tests.simulator.network import Lost, Network
from tests.simulator.ports import MAX_SKEW
from tests.simulator.violation import Violation

LOOKUP_DELAY = 20.0
"""Seconds until the outcome of a call can be looked up."""

NOT_BEGUN = ("unreachable", 429, 503, 529)
WRONG_USD = 1e6
PIECE = 7
"""Characters in each piece of a streamed answer."""

TICK = 12.0
"""Seconds between two calls back to the client of a stream; really it is about one."""

MAX_STREAM_SECONDS = 850.0
"""Longest duration of a slow stream."""

BEHAVIORS = (
    "answers", "answers", "answers", "is slow", "is slow", "loses the response", "loses the response and the id",
    "fails", "returns no content", "returns no cost", "returns a wrong cost", *NOT_BEGUN,
)  # fmt: skip


@dataclass(frozen=True)
class Charge:
    """A call that the service has begun, with its cost."""

    generation_id: str
    opening: Opening
    prompt: str
    cost_nanousd: int
    lookup_from: float
    is_unlisted: bool

    @property
    def cost_usd(self) -> float:
        """The cost in USD, as a response reports it."""
        return float(usd_text(self.cost_nanousd))


class SimulatedService:
    """The port Upstream."""

    def __init__(self, rng: Random, network: Network, ledger: MemoryLedger) -> None:
        """Begin without calls."""
        self.charged: list[Charge] = []
        self.network, self._rng, self._ledger = network, rng, ledger
        self._begun_calls: Counter[str] = Counter()

    @contextmanager
    def open(
        self, request: Request, *, seconds: float, on_wait: Callable[[], None] | None = None
    ) -> Iterator["SimulatedResponse"]:
        yield SimulatedResponse(
            lambda on_generation_id: self._send(request, _Exchange(seconds, on_generation_id, on_wait))
        )

    def _send(self, request: Request, exchange: "_Exchange") -> "Reply | _Streamed":
        if request.method == "GET":
            generation_id = parse_qs(urlsplit(request.path).query)["id"][0]
            return self.network.read(f"looks up {generation_id}", lambda: self._look_up(generation_id))
        behavior = "answers" if self.network.is_fault_free else self._rng.choice(BEHAVIORS)
        self.network.read(f"sends, and the service {behavior}", lambda: None)
        if behavior == "unreachable":
            raise Failure(UpstreamUnavailable("Not reached."), effect=Effect.NONE)
        if isinstance(behavior, int):
            return _reply(behavior, {"error": {"code": behavior, "message": "no"}}, {"retry-after": "1"})
        call = self._charge(request, 0 if behavior == "fails" else None)
        if behavior == "fails":
            return _reply(500, {"error": {"code": 500, "message": "no"}})
        if json.loads(request.body or b"").get("stream"):
            return _Streamed(
                200, {**_headers(call), "content-type": "text/event-stream"}, self._stream(call, behavior, exchange)
            )
        if behavior == "is slow":
            self._wait_before_answer(call, exchange)
        if behavior.startswith("loses"):
            known_id = call.generation_id if behavior == "loses the response" else None
            raise Failure(OutcomeUnknown("Lost."), receipt=Receipt(generation_id=known_id), effect=Effect.UNKNOWN)
        return _reply(200, {**_facts(call, behavior), "choices": [_choice(call, behavior)]}, _headers(call))

    def _stream(self, call: Charge, behavior: str, exchange: "_Exchange") -> Iterator[bytes]:
        """The answer in pieces, or some of them; a slow one has pauses in which the client is called back."""
        content = _content(call, behavior)
        seconds = self._rng.random() * MAX_STREAM_SECONDS if behavior == "is slow" else 0.0
        for begin in range(0, len(content), PIECE):
            self._wait_in_stream(call, seconds * PIECE / len(content), exchange)
            if behavior.startswith("loses") and self._rng.random() < 0.5:
                break
            yield _event(
                {"id": call.generation_id, "choices": [{"delta": {"content": content[begin : begin + PIECE]}}]}
            )
        if behavior.startswith("loses"):
            known_id = call.generation_id if behavior == "loses the response" else None
            raise Failure(OutcomeUnknown("Lost."), receipt=Receipt(generation_id=known_id), effect=Effect.UNKNOWN)
        yield _event({**_facts(call, behavior), "choices": [{"delta": {}, "finish_reason": "stop"}]})
        yield b"data: [DONE]\n\n"

    def _wait_in_stream(self, call: Charge, seconds: float, exchange: "_Exchange") -> None:
        while seconds > 0:
            step = min(seconds, exchange.seconds, TICK)
            self.network.wait(step)
            seconds, exchange.seconds = seconds - step, exchange.seconds - step
            if exchange.on_wait:
                exchange.on_wait()
            if exchange.seconds <= 0:
                receipt = Receipt(generation_id=call.generation_id)
                raise Failure(DeadlineExceeded("Late."), receipt=receipt, effect=Effect.UNKNOWN)

    def _charge(self, request: Request, cost: int | None) -> Charge:
        """Charge for the call; raise `Violation` if its execution was charged before or is not recorded as SENT."""
        opening = self.network.actor.opening
        assert opening is not None
        for name in (opening.execution_id, self.network.actor.call):
            self._begun_calls[name] += 1
            if name and self._begun_calls[name] > 1:
                raise Violation(f"{name} was sent twice")
        row = self._ledger.rows.get(opening.execution_id)
        is_sent = row is not None and row.opening.run_id == opening.run_id and row.state is State.SENT
        if not is_sent and not self.network.actor.ignores_timeout and not self._has_stalled(opening):
            raise Violation(f"{opening.execution_id} was sent while its state is {row and row.state}")
        call = Charge(
            generation_id=f"gen-{len(self.charged)}",
            opening=opening,
            prompt=json.loads(request.body or b"")["messages"][-1]["content"],
            cost_nanousd=int(self._rng.random() * (opening.reserved_nanousd + 1)) if cost is None else cost,
            lookup_from=self.network.scheduler.time + LOOKUP_DELAY,
            is_unlisted=self._rng.random() < 0.2,
        )
        self.charged.append(call)
        return call

    def _has_stalled(self, opening: Opening) -> bool:
        """Whether the lease of a stream has ended before its request is sent, since its process stood still."""
        row, now = self._ledger.rows.get(opening.execution_id), START + timedelta(seconds=self.network.scheduler.time)
        lease_over = parse_time((row.opening if row else opening).lease_expires_at) + timedelta(seconds=LEASE_SLACK)
        return opening.streamed and self.network.actor.is_disturbed and lease_over - timedelta(seconds=MAX_SKEW) < now

    def _wait_before_answer(self, call: Charge, exchange: "_Exchange") -> None:
        self.network.wait(min(2.0, exchange.seconds))
        if exchange.on_generation_id:
            with suppress(Lost, Refused):
                exchange.on_generation_id(call.generation_id)
        left, duration = exchange.seconds - 2.0, self._rng.random() * 150
        self.network.wait(max(0.0, min(left, duration)))
        if duration > left:
            receipt = Receipt(generation_id=call.generation_id)
            raise Failure(DeadlineExceeded("Late."), receipt=receipt, effect=Effect.UNKNOWN)

    def _look_up(self, generation_id: str) -> Reply:
        """The response of `GET /generation`."""
        call = next(call for call in self.charged if call.generation_id == generation_id)
        if call.is_unlisted or self.network.scheduler.time < call.lookup_from:
            return _reply(404, {"error": {"code": 404, "message": "no"}})
        data = {"id": generation_id, "total_cost": call.cost_usd, "finish_reason": "stop", "model": "m"}
        return _reply(200, {"data": data})


class SimulatedResponse:
    """The port Response; the request is sent when the response is first read."""

    def __init__(self, send: "Callable[[Callable[[str], None] | None], Reply | _Streamed]") -> None:
        """Keep the function that sends the request."""
        self._send = send
        self._reply: Reply | _Streamed | None = None

    @property
    def status(self) -> int:
        return self._whole().status

    @property
    def headers(self) -> Mapping[str, str]:
        return self._whole().headers

    @property
    def generation_id(self) -> str | None:
        return self.headers.get("x-generation-id")

    def chunks(self) -> Iterator[bytes]:
        reply = self._whole()
        yield from reply.pieces if isinstance(reply, _Streamed) else [reply.body]

    def read(self, limit: int, on_generation_id: Callable[[str], None] | None = None) -> bytes:
        reply = self._whole(on_generation_id)
        return b"".join(reply.pieces) if isinstance(reply, _Streamed) else reply.body

    def _whole(self, on_generation_id: Callable[[str], None] | None = None) -> "Reply | _Streamed":
        if self._reply is None:
            self._reply = self._send(on_generation_id)
        return self._reply


@dataclass
class _Exchange:
    """One exchange: its remaining time, and what the client wants to hear of it."""

    seconds: float
    on_generation_id: Callable[[str], None] | None
    on_wait: Callable[[], None] | None


@dataclass(frozen=True)
class _Streamed:
    """A reply whose body arrives in pieces."""

    status: int
    headers: Mapping[str, str]
    pieces: Iterator[bytes]


def content_of(prompt: str) -> str:
    """The answer of the service to this prompt."""
    return f"You said: {prompt}"


def _content(call: Charge, behavior: str) -> str:
    return "" if behavior == "returns no content" else content_of(call.prompt)


def _choice(call: Charge, behavior: str) -> dict[str, Any]:
    return {"finish_reason": "stop", "message": {"content": _content(call, behavior)}}


def _facts(call: Charge, behavior: str) -> dict[str, Any]:
    """What the service says of the call besides the answer."""
    cost = {"returns no cost": {}, "returns a wrong cost": {"cost": WRONG_USD}}.get(behavior, {"cost": call.cost_usd})
    usage = {"prompt_tokens": 3, "completion_tokens": 5, **cost}
    return {"id": call.generation_id, "model": "meadow/lark-mini", "usage": usage}


def _headers(call: Charge) -> dict[str, str]:
    return {"x-generation-id": call.generation_id}


def _event(chunk: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def _reply(status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> Reply:
    return Reply(status=status, body=json.dumps(body).encode(), headers=headers or {})
