"""The state of one schedule: calls and budgets, and the real use cases on simulated ports."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from instant.domain.access.identity import Identity
from instant.domain.access.integration import PLATFORM
from instant.domain.errors import InstantError, Internal
from instant.domain.executions.execution import State
from instant.domain.usage.budget import Budget, BudgetScope, Subject
from instant.use_cases.executions.credential import PlatformTerms
from instant.use_cases.executions.deps import ExecuteDeps, LedgerDeps, MediaDeps, SecondsLeft
from instant.use_cases.executions.execute import execute
from instant.use_cases.executions.prepare import ExecuteRequest
from instant.use_cases.executions.reconcile import ReconcileDeps, reconcile_executions
from instant.use_cases.executions.streams.cancel import CancelDeps, cancel_execution
from instant.use_cases.executions.streams.listener import Listener
from instant.use_cases.executions.streams.resume import resume
from tests.fakes.builders import an_integration
from tests.fakes.ledger import MemoryLedger, Refused
from tests.fakes.rate_limiter import MemoryRateLimiter
from tests.simulator.calls import MODEL, RESOURCE, Call, Outcome
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
from tests.simulator.streams import Places, Reader
from tests.simulator.upstream import TICK, SimulatedService
from tests.simulator.violation import Violation

WORST_NANOUSD = 31_000
"""Slightly more than the worst case of every call here, in nano-USD."""

type Execute = Callable[[ExecuteRequest, Identity, SecondsLeft, ExecuteDeps, Listener | None], dict[str, Any]]
type Resume = Callable[[str, int, Identity, Listener, SecondsLeft, LedgerDeps], dict[str, Any]]
type Reconcile = Callable[[ReconcileDeps, SecondsLeft], object]


@dataclass(frozen=True)
class App:
    """The ledger, the rate limiter and the use cases under test: the real ones, or a faulty variant of one."""

    ledger: type[MemoryLedger] = MemoryLedger
    limiter: type[MemoryRateLimiter] = MemoryRateLimiter
    execute: Execute = execute
    resume: Resume = resume
    reconcile: Reconcile = reconcile_executions


class World:
    """Creates the ports and the dependencies of a schedule, and records the outcome of each call."""

    def __init__(self, rng: Random, app: App) -> None:
        """Draw the budgets, the faults and the settings."""
        self.app, self.outcomes, self.readers = app, list[Outcome](), list[Reader]()
        self.cancelled_at = dict[str, float]()
        self._rng = rng
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
        self.places = Places(rng, self.network, clock, app.limiter)
        self.cancel_deps = CancelDeps(executions=faulty_ledger, cancellations=faulty_ledger, clock=clock)
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
        outcome = self._outcome(call, self._streamed if call.is_streamed else self._buffered)
        if self.network.is_fault_free and outcome.code == "rate_limited" and not outcome.execution_id:
            raise Violation(f"{call.user_id} has no free place, and nothing runs")
        row = self.ledger.rows.get(outcome.execution_id)
        if outcome.code == "outcome_unknown" and row and row.state is State.RESERVED:
            raise Violation(f"{outcome.execution_id} is not sent yet, but the response is outcome_unknown")
        self.network.counts[f"returned {outcome.code or 'an answer'}"] += 1
        self.network.note(f"returns {outcome.code or 'the answer'} of {outcome.execution_id[-6:]}")
        self.outcomes.append(outcome)

    def resume(self) -> None:
        """Run one invocation that continues a stream from where its client left."""
        if reader := self._any_stream():
            self.network.counts["resumed"] += 1
            outcome = self._outcome(reader.call, lambda call, left: self._resumed(reader, left))
            if self._has_begun(reader):
                self.outcomes.append(outcome)

    def cancel(self) -> None:
        """Ask one stream to stop."""
        if not (reader := self._any_stream()):
            return
        try:
            cancel_execution(reader.execution_id, reader.call.owner, self.cancel_deps)
        except (InstantError, Lost, Refused):
            return
        self.network.counts["cancelled"] += 1
        if row := self.ledger.rows.get(reader.execution_id):
            self.cancelled_at.setdefault(row.opening.run_id, self.network.scheduler.time)

    def _any_stream(self) -> Reader | None:
        known = [reader for reader in self.readers if reader.execution_id]
        return self._rng.choice(known) if known else None

    def _outcome(self, call: Call, run: Callable[[Call, SecondsLeft], dict[str, Any]]) -> Outcome:
        """Run one invocation for the call; return its response."""
        ends_at = self.network.scheduler.time + call.seconds
        try:
            return Outcome(call, run(call, lambda: ends_at - self.network.scheduler.time))
        except InstantError as error:
            return Outcome(call, error.body())
        except (Lost, Refused):
            return Outcome(call, Internal("Something failed on our side.").body())

    def _buffered(self, call: Call, seconds_left: SecondsLeft) -> dict[str, Any]:
        return self.app.execute(call.request, call.caller, seconds_left, self.deps, None)

    def _streamed(self, call: Call, seconds_left: SecondsLeft) -> dict[str, Any]:
        with self.places.place(call.user_id, seconds_left()) as lease:
            reader = Reader(call, lease, leaves_after=self._rng.choice([None, 0, 1, 2]))
            self.readers.append(reader)
            body = self.app.execute(call.request, call.caller, seconds_left, self.deps, reader)
            reader.check_text(str(body["output"]["content"]))
            self._check_was_not_cancelled(reader.execution_id)
            return body

    def _check_was_not_cancelled(self, execution_id: str) -> None:
        """A run without faults ends soon after it was cancelled; another one can return the answer at any time."""
        opening = self.network.actor.opening
        cancelled_at = self.cancelled_at.get(opening.run_id if opening else "", float("inf"))
        if not self.network.actor.is_disturbed and self.network.scheduler.time > cancelled_at + 2 * TICK:
            raise Violation(f"{execution_id} was cancelled and runs on")

    def _resumed(self, left: Reader, seconds_left: SecondsLeft) -> dict[str, Any]:
        with self.places.place(left.call.user_id, seconds_left()) as lease:
            reader = Reader(left.call, lease, text=left.text)
            position = len(reader.text)
            body = self.app.resume(left.execution_id, position, left.call.owner, reader, seconds_left, self.deps.ledger)
            if self._has_begun(left):
                reader.check_text(str(body["output"]["content"]))
            return body

    def _has_begun(self, reader: Reader) -> bool:
        """Whether the execution is of the client's request: another one can have its key if that was rolled back."""
        row = self.ledger.rows.get(reader.execution_id)
        return row is None or row.opening.fingerprint == reader.call.fingerprint

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
