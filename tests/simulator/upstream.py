"""A service that takes money for each call that it begins, and answers, fails, dawdles, or loses its answer."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from random import Random
from typing import Any
from urllib.parse import parse_qs, urlsplit

from instant.domain.errors import DeadlineExceeded, OutcomeUnknown, UpstreamUnavailable
from instant.domain.exchange import Reply, Request
from instant.domain.executions.execution import Opening, State
from instant.domain.executions.failure import Effect, Failure
from instant.domain.executions.receipt import Receipt
from instant.domain.money import usd_text
from tests.fakes.ledger import MemoryLedger, Refused
from tests.simulator.network import Lost, Network
from tests.simulator.violation import Violation

KNOWN_AFTER = 20.0
"""Seconds until the service can tell what became of a call."""

NOT_BEGUN = ("unreachable", 429, 503, 529)
FATES = (
    "answers", "answers", "answers", "dawdles", "dawdles", "loses the answer", "loses all", "fails", "is empty",
    "tells no price", *NOT_BEGUN,
)  # fmt: skip


@dataclass(frozen=True)
class Charged:
    """A call that the service began: whose it was and what it took for it."""

    generation_id: str
    opening: Opening
    prompt: str
    cost_nanousd: int
    known_from: float
    is_forgotten: bool


class SimulatedService:
    """The port Upstream."""

    def __init__(self, dice: Random, network: Network, books: MemoryLedger) -> None:
        """Nothing was sent yet."""
        self.charged: list[Charged] = []
        self.network, self._dice, self._books = network, dice, books
        self._begun: Counter[str] = Counter()

    @contextmanager
    def open(self, request: Request, *, seconds: float) -> Iterator["SimulatedResponse"]:
        yield SimulatedResponse(lambda on_generation_id: self._send(request, seconds, on_generation_id))

    def _send(self, request: Request, seconds: float, on_generation_id: Callable[[str], None] | None) -> Reply:
        if request.method == "GET":
            generation_id = parse_qs(urlsplit(request.path).query)["id"][0]
            return self.network.read(f"asks for {generation_id}", lambda: self._tell(generation_id))
        fate = "answers" if self.network.is_calm else self._dice.choice(FATES)
        self.network.read(f"sends, and the service {fate}", lambda: None)
        if fate == "unreachable":
            raise Failure(UpstreamUnavailable("Not reached."), effect=Effect.NONE)
        if isinstance(fate, int):
            return _reply(fate, {"error": {"code": fate, "message": "no"}}, {"retry-after": "1"})
        call = self._begin(request, 0 if fate == "fails" else None)
        if fate == "fails":
            return _reply(500, {"error": {"code": 500, "message": "no"}})
        if fate == "dawdles":
            self._dawdle(call, seconds, on_generation_id)
        if fate.startswith("loses"):
            told = call.generation_id if fate == "loses the answer" else None
            raise Failure(OutcomeUnknown("Lost."), receipt=Receipt(generation_id=told), effect=Effect.UNKNOWN)
        return _answer(call, content="" if fate == "is empty" else None, is_priced=fate != "tells no price")

    def _begin(self, request: Request, cost: int | None) -> Charged:
        """From here on the call costs money: it is the only one that was asked for, and stands in the books."""
        opening = self.network.actor.opening
        assert opening is not None
        for name in (opening.execution_id, self.network.actor.call):
            self._begun[name] += 1
            if name and self._begun[name] > 1:
                raise Violation(f"{name} was sent twice")
        row = self._books.rows.get(opening.execution_id)
        stands = row is not None and row.opening.run_id == opening.run_id and row.state is State.SENT
        if not stands and not self.network.actor.overstays:
            raise Violation(f"{opening.execution_id} was sent while {row and row.state} in the books")
        call = Charged(
            generation_id=f"gen-{len(self.charged)}",
            opening=opening,
            prompt=json.loads(request.body or b"")["messages"][-1]["content"],
            cost_nanousd=int(self._dice.random() * (opening.reserved_nanousd + 1)) if cost is None else cost,
            known_from=self.network.turns.time + KNOWN_AFTER,
            is_forgotten=self._dice.random() < 0.2,
        )
        self.charged.append(call)
        return call

    def _dawdle(self, call: Charged, seconds: float, on_generation_id: Callable[[str], None] | None) -> None:
        self.network.wait(min(2.0, seconds))
        if on_generation_id:
            with suppress(Lost, Refused):
                on_generation_id(call.generation_id)
        left, takes = seconds - 2.0, self._dice.random() * 150
        self.network.wait(max(0.0, min(left, takes)))
        if takes > left:
            receipt = Receipt(generation_id=call.generation_id)
            raise Failure(DeadlineExceeded("Late."), receipt=receipt, effect=Effect.UNKNOWN)

    def _tell(self, generation_id: str) -> Reply:
        """Like `GET /generation`."""
        call = next(call for call in self.charged if call.generation_id == generation_id)
        if call.is_forgotten or self.network.turns.time < call.known_from:
            return _reply(404, {"error": {"code": 404, "message": "no"}})
        cost = usd_text(call.cost_nanousd)
        data = {"id": generation_id, "total_cost": float(cost or 0), "finish_reason": "stop", "model": "m"}
        return _reply(200, {"data": data})


class SimulatedResponse:
    """The port Response: everything happens when it is read."""

    def __init__(self, send: Callable[[Callable[[str], None] | None], Reply]) -> None:
        """Nothing was read yet."""
        self._send = send
        self._reply: Reply | None = None

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
        yield self._whole().body

    def read(self, limit: int, on_generation_id: Callable[[str], None] | None = None) -> bytes:
        return self._whole(on_generation_id).body

    def _whole(self, on_generation_id: Callable[[str], None] | None = None) -> Reply:
        if self._reply is None:
            self._reply = self._send(on_generation_id)
        return self._reply


def _answer(call: Charged, *, content: str | None, is_priced: bool) -> Reply:
    cost = {"cost": float(usd_text(call.cost_nanousd) or 0)} if is_priced else {}
    body = {
        "id": call.generation_id,
        "model": "meadow/lark-mini",
        "choices": [{"finish_reason": "stop", "message": {"content": content_of(call.prompt, content)}}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 5, **cost},
    }
    return _reply(200, body, {"x-generation-id": call.generation_id})


def content_of(prompt: str, content: str | None = None) -> str:
    """What the service says to this prompt."""
    return f"You said: {prompt}" if content is None else content


def _reply(status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> Reply:
    return Reply(status=status, body=json.dumps(body).encode(), headers=headers or {})
