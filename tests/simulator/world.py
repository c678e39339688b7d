"""The world of one schedule: who calls what, with which money; the real use cases on simulated ports."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from instant.domain.access.identity import Identity, Scope
from instant.domain.access.integration import PLATFORM
from instant.domain.errors import InstantError, Internal
from instant.domain.executions.execution import State
from instant.domain.resources.resource import Visibility
from instant.domain.usage.budget import Budget, BudgetScope, Subject
from instant.use_cases.executions.credential import PlatformTerms
from instant.use_cases.executions.deps import ExecuteDeps, LedgerDeps, MediaDeps, SecondsLeft
from instant.use_cases.executions.execute import execute
from instant.use_cases.executions.prepare import ExecuteRequest
from instant.use_cases.executions.reconcile import ReconcileDeps, reconcile_executions
from tests.fakes.builders import a_model, a_resource, an_integration
from tests.fakes.ledger import MemoryLedger, Refused
from tests.simulator.network import Lost, Network
from tests.simulator.ports import (
    Facts,
    FaultyLedger,
    LaterFacts,
    OneResource,
    OpenKeys,
    SimulatedAnswers,
    Unused,
    WorldClock,
)
from tests.simulator.turns import Turns
from tests.simulator.upstream import SimulatedService
from tests.simulator.violation import Violation

LASTS = 120.0
"""Seconds that an invocation that executes has, as in the template."""

WORST = 31_000
"""A little more than what any call here can cost, in nano-USD."""

MODEL = a_model()
RESOURCE = a_resource(visibility=Visibility.PUBLIC, config={"model": MODEL.openrouter_id, "max_tokens": 100})


@dataclass(frozen=True)
class Call:
    """A call as its caller means it; without a key each is a call of its own."""

    label: str
    user_id: str
    key_id: str | None
    key: str | None
    prompt: str

    @property
    def request(self) -> ExecuteRequest:
        """As it is sent."""
        return ExecuteRequest(
            resource_id=RESOURCE.resource_id, inputs={"prompt": self.prompt}, idempotency_key=self.key
        )

    @property
    def caller(self) -> Identity:
        """Whoever sends it."""
        return Identity(self.user_id, frozenset({Scope.EXECUTE}), self.key_id)


@dataclass(frozen=True)
class Outcome:
    """What a caller got."""

    call: Call
    body: dict[str, Any]

    @property
    def text(self) -> str:
        """To the byte."""
        return json.dumps(self.body, separators=(",", ":"))

    @property
    def code(self) -> str | None:
        """Of a failure."""
        return str(self.body["error"]["code"]) if "error" in self.body else None

    @property
    def execution_id(self) -> str:
        """Which execution this is about."""
        return str(self.body.get("execution_id") or self.body.get("error", {}).get("execution_id") or "")


type Execute = Callable[[ExecuteRequest, Identity, SecondsLeft, ExecuteDeps], dict[str, Any]]
type Reconcile = Callable[[ReconcileDeps, SecondsLeft], object]


@dataclass(frozen=True)
class App:
    """What is put to the test: the real thing, or one that is wrong somewhere."""

    ledger: type[MemoryLedger] = MemoryLedger
    execute: Execute = execute
    reconcile: Reconcile = reconcile_executions


class World:
    """Everything that a schedule needs."""

    def __init__(self, dice: Random, app: App) -> None:
        """Draw the circumstances."""
        self.app, self.told = app, list[Outcome]()
        self.network = Network(dice, Turns(dice, zeal=dice.choice([0.0, 0.5, 0.9])))
        self.books = app.ledger()
        if hasattr(self.books, "pause"):
            self.books.pause = self._pause
        self.answers = SimulatedAnswers(dice, self.network)
        self.service = SimulatedService(dice, self.network, self.books)
        ledger, clock, unused = FaultyLedger(self.books, self.network), WorldClock(self.network), Unused()
        connections = {user: an_integration(user) for user in ("user_alice", PLATFORM)}
        self.budgets = _budgets(dice)
        self.platform = PlatformTerms(
            models=frozenset({MODEL.openrouter_id}), daily_nanousd=8 * _cap(dice), daily_nanousd_each=_cap(dice)
        )
        facts = Facts(RESOURCE, MODEL, connections, self.budgets, is_disconnected=dice.random() < 0.05)
        self.deps = ExecuteDeps(
            resources=OneResource(RESOURCE),
            facts=facts,
            models=unused,
            integrations=facts,
            key_status=unused,
            keys=OpenKeys(),
            upstream=self.service,
            media=MediaDeps(decoder=unused, images=unused),
            ledger=LedgerDeps(ledger=ledger, executions=ledger, answers=self.answers, clock=clock),
            platform=self.platform,
            clock=clock,
        )
        self.recorder = ReconcileDeps(
            open_runs=ledger,
            ledger=ledger,
            integrations=LaterFacts(facts),
            keys=OpenKeys(),
            upstream=self.service,
            clock=clock,
        )

    def call(self, call: Call) -> None:
        """One invocation that executes; what it tells is kept."""
        self.network.actor.call = call.label
        self.network.counts["calls"] += 1
        ends_at = self.network.turns.time + LASTS
        try:
            body = self.app.execute(call.request, call.caller, lambda: ends_at - self.network.turns.time, self.deps)
        except InstantError as error:
            body = error.body()
        except (Lost, Refused):
            body = Internal("Something failed on our side.").body()
        told = Outcome(call, body)
        row = self.books.rows.get(told.execution_id)
        if told.code == "outcome_unknown" and row and row.state is State.RESERVED:
            raise Violation(f"{told.execution_id} is not sent yet, and told as unknown")
        self.network.counts[f"told {told.code or 'an answer'}"] += 1
        self.network.note(f"is told {told.code or 'the answer'} of {told.execution_id[-6:]}")
        self.told.append(told)

    def look_after(self) -> None:
        """One invocation of the reconciler."""
        self.network.counts["looks after"] += 1
        ends_at = self.network.turns.time + 300
        try:
            self.app.reconcile(self.recorder, lambda: ends_at - self.network.turns.time)
        except (Lost, Refused):
            self.network.note("fails to look after anything")

    def _pause(self) -> None:
        """For ledgers that do in two steps what must be one."""
        if not (self.network.is_calm or self.network.is_arriving):
            self.network.turns.pause()


def _budgets(dice: Random) -> list[Budget]:
    subjects = {
        Subject(BudgetScope.USER, "user_alice"): 1,
        Subject(BudgetScope.USER, "user_bob"): 1,
        Subject(BudgetScope.API_KEY, "key_1"): 1,
        Subject(BudgetScope.RESOURCE, RESOURCE.resource_id): 1,
        Subject(BudgetScope.GLOBAL): 8,
    }
    share = dice.choice([0.0, 0.3, 0.7])
    return [
        Budget(
            subject=subject,
            daily_nanousd=parts * _cap(dice) if dice.random() < 0.7 else None,
            monthly_nanousd=parts * _cap(dice) if dice.random() < 0.4 else None,
        )
        for subject, parts in subjects.items()
        if dice.random() < share
    ]


def _cap(dice: Random) -> int:
    """Room for few calls, mostly."""
    return int(WORST * dice.choice([1.0, 1.0, 1.5, 2.2, 3.5, 100]))
