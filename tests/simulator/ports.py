"""The ports of the use cases in the simulated world."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from instant.domain.access.integration import PLATFORM, Account, Integration
from instant.domain.catalog.model import CatalogModel
from instant.domain.clock import parse_time
from instant.domain.executions.execution import OPEN, Closing, Execution, Opening, OpenRun, State, StoredAnswer
from instant.domain.executions.image import DecodedImage, Image
from instant.domain.resources.resource import Resource
from instant.domain.secret import Secret
from instant.domain.usage.budget import Budget, BudgetScope, Subject
from instant.ports.executions.call_facts import CallFacts
from tests.fakes.clock import START
from tests.fakes.ledger import MemoryLedger
from tests.simulator.network import Network
from tests.simulator.violation import Violation

MAX_SKEW = 10.0
"""Maximum clock skew of a process, in seconds."""

MIN_SLEEP = 6.0
"""Minimum seconds of a sleep: those who wait for an execution look at it each second, which would take long here."""

MIN_LOOKUP_TIME = timedelta(hours=23, minutes=59)
"""Minimum time for which the outcome of a call with a generation id is looked up, despite clock skew."""


class SkewedClock:
    """The simulated time with the clock skew of the current process."""

    def __init__(self, network: Network) -> None:
        """Read the time of this network."""
        self._network = network

    def now(self) -> datetime:
        return START + timedelta(seconds=self._network.scheduler.time + self._network.actor.skew)

    def monotonic(self) -> float:
        return self._network.scheduler.time

    def sleep(self, seconds: float) -> None:
        self._network.wait(max(seconds, MIN_SLEEP))


class FaultyLedger:
    """A ledger behind the network; raises `Violation` if a budget is exceeded or an execution is LOST too early."""

    def __init__(self, inner: MemoryLedger, network: Network, resource: Resource, budgets: Sequence[Budget]) -> None:
        """Wrap `inner`, in which calls of `resource` are under `budgets`."""
        self.inner, self._network = inner, network
        self._resource, self._budgets = resource, budgets

    def open(self, opening: Opening) -> Execution | None:
        self._network.actor.opening = opening
        return self._network.write(f"open {_name(opening)}", lambda: self._step(opening, lambda: self._opened(opening)))

    def _opened(self, opening: Opening) -> Execution | None:
        is_new = opening.execution_id not in self.inner.rows
        existing = self.inner.open(opening)
        if is_new and opening.user_id != self._resource.owner_id:
            self._check_shares(opening)
        return existing

    def _check_shares(self, opening: Opening) -> None:
        """A caller holds a quarter of a shared budget (if not a resource's, or one call); an owner keeps a quarter."""
        held = [row.opening for row in self.inner.rows.values() if row.state in OPEN]
        mine = [each.reserved_nanousd for each in held if each.user_id == opening.user_id]
        for budget in self._budgets:
            caps = dict(budget.caps())
            is_limited = len(mine) > 1 or budget.subject.scope is BudgetScope.RESOURCE
            if caps and budget.subject.scope.is_shared and is_limited and sum(mine) > min(caps.values()) // 4:
                raise Violation(f"{opening.user_id} holds {mine} of {budget}")
        others = [each for each in held if each.user_id != self._resource.owner_id]
        for hold in opening.holds:
            amounts = [each.reserved_nanousd for each in others if hold.name in {other.name for other in each.holds}]
            is_limited = hold.scope is BudgetScope.RESOURCE and not hold.is_share and len(amounts) > 1
            spent = self.inner.budgets[hold.name]["spent"]
            if is_limited and 4 * sum(amounts) > 3 * (hold.cap_nanousd - spent):
                raise Violation(f"others hold {amounts} of {hold} with {spent} spent")

    def mark_sent(self, opening: Opening) -> None:
        self._network.write(f"mark_sent {_name(opening)}", lambda: self.inner.mark_sent(opening))

    def record_generation_id(self, opening: Opening, generation_id: str) -> None:
        self._network.write(
            f"record_generation_id {_name(opening)}", lambda: self.inner.record_generation_id(opening, generation_id)
        )

    def save_result(self, opening: Opening, closing: Closing) -> None:
        self._network.write(f"save_result {_name(opening)}", lambda: self.inner.save_result(opening, closing))

    def release(self, opening: Opening) -> None:
        self._network.write(
            f"release {_name(opening)}", lambda: self._step(opening, lambda: self.inner.release(opening))
        )

    def renew(self, opening: Opening, lease_expires_at: str) -> None:
        self._network.write(f"renew {_name(opening)}", lambda: self.inner.renew(opening, lease_expires_at))

    def reclaim(self, execution_id: str, now: str) -> bool:
        return self._network.write(f"reclaim {execution_id}", lambda: self.inner.reclaim(execution_id, now))

    def close(self, opening: Opening, closing: Closing) -> bool:
        if closing.state is State.LOST and closing.receipt.generation_id:
            looked_up_for = parse_time(closing.finished_at) - parse_time(opening.created_at)
            if looked_up_for < MIN_LOOKUP_TIME:
                raise Violation(f"{opening.execution_id} is closed as LOST after {looked_up_for}")
        what = f"close {_name(opening)} {closing.state} {closing.receipt.cost_nanousd}"
        return self._network.write(what, lambda: self._step(opening, lambda: self.inner.close(opening, closing)))

    def mark_unknown(self, opening: Opening, closing: Closing, due_at: str) -> None:
        what = f"mark_unknown {_name(opening)} {closing.receipt.generation_id}"
        self._network.write(
            what, lambda: self._step(opening, lambda: self.inner.mark_unknown(opening, closing, due_at))
        )

    def expire(self, opening: Opening, closing: Closing, due_at: str) -> bool:
        what = f"expire {_name(opening)}"
        return self._network.write(what, lambda: self._step(opening, lambda: self._expired(opening, closing, due_at)))

    def _expired(self, opening: Opening, closing: Closing, due_at: str) -> bool:
        """Expire an execution; it must have no lease, and not be run by a process without faults."""
        row = self.inner.rows.get(opening.execution_id)
        is_expired = self.inner.expire(opening, closing, due_at)
        if not is_expired or row is None:
            return is_expired
        scheduler = self._network.scheduler
        if parse_time(row.opening.lease_expires_at) > START + timedelta(seconds=scheduler.time + MAX_SKEW):
            raise Violation(f"{opening.execution_id} expires before its lease")
        undisturbed = [each for each in scheduler.running if not each.is_disturbed and not each.ignores_timeout]
        if opening.run_id in {actor.opening.run_id for actor in undisturbed if actor.opening}:
            raise Violation(f"{opening.execution_id} expires while it runs")
        return is_expired

    def reschedule(self, opening: Opening, due_at: str) -> None:
        self._network.write(f"reschedule {_name(opening)}", lambda: self.inner.reschedule(opening, due_at))

    def due(self, now: str) -> Iterator[OpenRun]:
        yield from self._network.read("due", lambda: list(self.inner.due(now)))

    def get(self, execution_id: str) -> Execution | None:
        return self._network.read(f"get {execution_id}", lambda: self.inner.get(execution_id))

    def request(self, execution_id: str, user_id: str, now: str) -> bool:
        return self._network.write(f"cancel {execution_id}", lambda: self._requested(execution_id, user_id, now))

    def _requested(self, execution_id: str, user_id: str, now: str) -> bool:
        before = self.inner.rows.get(execution_id)
        is_accepted = self.inner.request(execution_id, user_id, now)
        if is_accepted and (before is None or before.state not in {State.RESERVED, State.SENT}):
            raise Violation(f"{execution_id} is cancelled while its state is {before and before.state}")
        return is_accepted

    def is_cancelled(self, execution_id: str) -> bool:
        return self._network.read(f"is_cancelled {execution_id}", lambda: self.inner.is_cancelled(execution_id))

    def _step[Result](self, opening: Opening, step: Callable[[], Result]) -> Result:
        result = step()
        for hold in opening.holds:
            committed, spent = (self.inner.budgets[hold.name][name] for name in ("committed", "spent"))
            if not 0 <= spent <= committed or (committed > hold.cap_nanousd and not hold.is_share):
                raise Violation(f"{hold.name}: {spent} spent, {committed} committed of {hold.cap_nanousd}")
        return result


def _name(opening: Opening) -> str:
    return f"{opening.execution_id[-6:]}/{opening.run_id[-4:]}"


class SimulatedAnswers:
    """Stored answers, each at random in the row or as an object."""

    def __init__(self, rng: Random, network: Network) -> None:
        """Begin without objects."""
        self.objects: dict[str, str] = {}
        self._rng, self._network = rng, network

    def keep(self, execution_id: str, text: str) -> StoredAnswer:
        if self._rng.random() < 0.5:
            return StoredAnswer(text=text)
        key = f"media/{execution_id}/{len(self.objects)}"
        self._network.write(f"keep {key}", lambda: self.objects.__setitem__(key, text))
        return StoredAnswer(object_key=key)

    def read(self, answer: StoredAnswer) -> str | None:
        key = answer.object_key
        return answer.text if key is None else self._network.read(f"read {key}", lambda: self.objects.get(key))


@dataclass(frozen=True)
class Facts:
    """The data that does not change during a schedule: one resource, one model, the integrations, the budgets."""

    resource: Resource
    model: CatalogModel
    integrations: Mapping[str, Integration]
    budgets: Sequence[Budget]
    is_disconnected: bool = False
    """Whether the keys are deleted before the reconciler reads them."""

    def of(
        self,
        user_id: str,
        service: str | None,
        model_ids: Sequence[str],
        subjects: Sequence[Subject],
        *,
        platform: bool,
    ) -> CallFacts:
        return CallFacts(
            caller=Account(integration=self.integrations.get(user_id)),
            models={self.model.openrouter_id: self.model},
            budgets=[budget for budget in self.budgets if budget.subject in subjects],
            platform=Account(integration=self.integrations.get(PLATFORM)) if platform else None,
        )

    def get(self, user_id: str, service: str) -> Integration | None:
        return self.integrations.get(user_id)


@dataclass(frozen=True)
class ReconcilerIntegrations:
    """The integrations that the reconciler reads."""

    facts: Facts

    def get(self, user_id: str, service: str) -> Integration | None:
        return None if self.facts.is_disconnected else self.facts.get(user_id, service)


class OneResource:
    """The methods of the port ResourceStore that an execution uses."""

    def __init__(self, resource: Resource) -> None:
        """Store this resource."""
        self._resource = resource

    def get(self, resource_id: str) -> Resource | None:
        return self._resource if resource_id == self._resource.resource_id else None

    def find(self, address: str) -> Resource | None:
        return self._resource if address == self._resource.address else None

    def create(self, resource: Resource) -> None:
        raise NotImplementedError

    def replace(self, old: Resource, new: Resource) -> None:
        raise NotImplementedError

    def delete(self, resource: Resource, deleted_at: str) -> None:
        raise NotImplementedError


class Unused:
    """The ports that no schedule uses: no model is missing, no key is rejected, no image is created."""

    def get(self, openrouter_id: str) -> CatalogModel | None:
        raise NotImplementedError

    def some(self, model_ids: Iterable[str]) -> Mapping[str, CatalogModel]:
        raise NotImplementedError

    def related(self, model: CatalogModel) -> Sequence[CatalogModel]:
        raise NotImplementedError

    def set(self, integration: Integration) -> None:
        raise NotImplementedError

    def claim_check(self, integration: Integration, claimed: Integration) -> bool:
        raise NotImplementedError

    def decode(self, data: bytes) -> DecodedImage | None:
        raise NotImplementedError

    def keep(self, image: Image, data: bytes) -> None:
        raise NotImplementedError


class FakeKeyOpener:
    """The port KeyOpener."""

    def open(self, ciphertext: bytes, *, user_id: str, service: str) -> Secret:
        return Secret("sk-or-v1-simulated")
