"""The state of one schedule: calls and budgets, and the real use cases on simulated ports."""

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
    FakeKeyOpener,
    FaultyLedger,
    OneResource,
    ReconcilerIntegrations,
    SimulatedAnswers,
    SkewedClock,
    Unused,
)
from tests.simulator.scheduler import Scheduler
from tests.simulator.upstream import SimulatedService
from tests.simulator.violation import Violation

INVOCATION_SECONDS = 120.0
"""Timeout of an invocation that executes, as in the template."""

WORST_NANOUSD = 31_000
"""Slightly more than the worst case of every call here, in nano-USD."""

MODEL = a_model()
RESOURCE = a_resource(visibility=Visibility.PUBLIC, config={"model": MODEL.openrouter_id, "max_tokens": 100})


@dataclass(frozen=True)
class Call:
    """A call and its retries; without an idempotency key it has none."""

    label: str
    user_id: str
    key_id: str | None
    key: str | None
    prompt: str

    @property
    def request(self) -> ExecuteRequest:
        """The request that is sent."""
        return ExecuteRequest(
            resource_id=RESOURCE.resource_id, inputs={"prompt": self.prompt}, idempotency_key=self.key
        )

    @property
    def caller(self) -> Identity:
        """The identity of the caller."""
        return Identity(self.user_id, frozenset({Scope.EXECUTE}), self.key_id)


@dataclass(frozen=True)
class Outcome:
    """The response to a call."""

    call: Call
    body: dict[str, Any]

    @property
    def text(self) -> str:
        """The body as text, to compare byte for byte."""
        return json.dumps(self.body, separators=(",", ":"))

    @property
    def code(self) -> str | None:
        """The error code, if the call failed."""
        return str(self.body["error"]["code"]) if "error" in self.body else None

    @property
    def execution_id(self) -> str:
        """The id of the execution, or an empty string."""
        return str(self.body.get("execution_id") or self.body.get("error", {}).get("execution_id") or "")


type Execute = Callable[[ExecuteRequest, Identity, SecondsLeft, ExecuteDeps], dict[str, Any]]
type Reconcile = Callable[[ReconcileDeps, SecondsLeft], object]


@dataclass(frozen=True)
class App:
    """The ledger and the use cases under test: the real ones, or a faulty variant of one."""

    ledger: type[MemoryLedger] = MemoryLedger
    execute: Execute = execute
    reconcile: Reconcile = reconcile_executions


class World:
    """Creates the ports and the dependencies of a schedule, and records the outcome of each call."""

    def __init__(self, rng: Random, app: App) -> None:
        """Draw the budgets, the faults and the settings."""
        self.app, self.outcomes = app, list[Outcome]()
        self.network = Network(rng, Scheduler(rng, keep_probability=rng.choice([0.0, 0.5, 0.9])))
        self.ledger = app.ledger()
        if hasattr(self.ledger, "pause"):
            self.ledger.pause = self._pause
        self.answers = SimulatedAnswers(rng, self.network)
        self.service = SimulatedService(rng, self.network, self.ledger)
        integrations = {user: an_integration(user) for user in ("user_alice", PLATFORM)}
        self.budgets = _budgets(rng)
        faulty_ledger = FaultyLedger(self.ledger, self.network, RESOURCE, self.budgets)
        clock, unused = SkewedClock(self.network), Unused()
        self.platform = PlatformTerms(
            models=frozenset({MODEL.openrouter_id}),
            daily_nanousd=8 * _random_cap(rng),
            daily_nanousd_each=_random_cap(rng),
        )
        self.is_disconnected = rng.random() < 0.05
        facts = Facts(RESOURCE, MODEL, integrations, self.budgets, is_disconnected=self.is_disconnected)
        self.deps = ExecuteDeps(
            resources=OneResource(RESOURCE),
            facts=facts,
            models=unused,
            integrations=facts,
            key_status=unused,
            keys=FakeKeyOpener(),
            upstream=self.service,
            media=MediaDeps(decoder=unused, images=unused),
            ledger=LedgerDeps(ledger=faulty_ledger, executions=faulty_ledger, answers=self.answers, clock=clock),
            platform=self.platform,
            clock=clock,
        )
        self.reconcile_deps = ReconcileDeps(
            open_runs=faulty_ledger,
            ledger=faulty_ledger,
            integrations=ReconcilerIntegrations(facts),
            keys=FakeKeyOpener(),
            upstream=self.service,
            clock=clock,
        )

    def call(self, call: Call) -> None:
        """Run one invocation that executes, and record its outcome."""
        self.network.actor.call = call.label
        self.network.counts["calls"] += 1
        ends_at = self.network.scheduler.time + INVOCATION_SECONDS
        try:
            body = self.app.execute(call.request, call.caller, lambda: ends_at - self.network.scheduler.time, self.deps)
        except InstantError as error:
            body = error.body()
        except (Lost, Refused):
            body = Internal("Something failed on our side.").body()
        outcome = Outcome(call, body)
        row = self.ledger.rows.get(outcome.execution_id)
        if outcome.code == "outcome_unknown" and row and row.state is State.RESERVED:
            raise Violation(f"{outcome.execution_id} is not sent yet, but the response is outcome_unknown")
        self.network.counts[f"returned {outcome.code or 'an answer'}"] += 1
        self.network.note(f"returns {outcome.code or 'the answer'} of {outcome.execution_id[-6:]}")
        self.outcomes.append(outcome)

    def reconcile(self) -> None:
        """Run one invocation of the reconciler."""
        self.network.counts["reconciler runs"] += 1
        ends_at = self.network.scheduler.time + 300
        try:
            self.app.reconcile(self.reconcile_deps, lambda: ends_at - self.network.scheduler.time)
        except (Lost, Refused):
            self.network.note("reconciler run fails")

    def _pause(self) -> None:
        """Let others run between the two steps of a faulty ledger that is not atomic."""
        if not (self.network.is_fault_free or self.network.is_delivering):
            self.network.scheduler.pause()


def _budgets(rng: Random) -> list[Budget]:
    subjects = {
        Subject(BudgetScope.USER, "user_alice"): 1,
        Subject(BudgetScope.USER, "user_bob"): 1,
        Subject(BudgetScope.API_KEY, "key_1"): 1,
        Subject(BudgetScope.RESOURCE, RESOURCE.resource_id): 4,
        Subject(BudgetScope.GLOBAL): 8,
    }
    share = rng.choice([0.0, 0.3, 0.7])
    return [
        Budget(
            subject=subject,
            daily_nanousd=parts * _random_cap(rng) if rng.random() < 0.7 else None,
            monthly_nanousd=parts * _random_cap(rng) if rng.random() < 0.4 else None,
        )
        for subject, parts in subjects.items()
        if rng.random() < share
    ]


def _random_cap(rng: Random) -> int:
    """A cap that mostly admits few calls."""
    return int(WORST_NANOUSD * rng.choice([1.0, 1.0, 1.5, 2.2, 3.5, 100]))
