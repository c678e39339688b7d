"""The ports of the use cases in the simulated world."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from instant.domain.access.integration import PLATFORM, Account, Integration, KeyStatus
from instant.domain.catalog.model import CatalogModel
from instant.domain.clock import parse_time
from instant.domain.executions.execution import Closing, Execution, Opening, OpenRun, State, StoredAnswer
from instant.domain.executions.image import DecodedImage, Image
from instant.domain.resources.resource import Resource
from instant.domain.secret import Secret
from instant.domain.usage.budget import Budget, Subject
from instant.ports.executions.call_facts import CallFacts
from tests.fakes.clock import START
from tests.fakes.ledger import MemoryLedger
from tests.simulator.network import Network
from tests.simulator.violation import Violation

LONG_ENOUGH = timedelta(hours=23, minutes=59)
"""How long a service is asked what became of a call that has a name, at least, whatever the clocks say."""


class WorldClock:
    """Each machine's own idea of the one time there is."""

    def __init__(self, network: Network) -> None:
        """Show the network's time."""
        self._network = network

    def now(self) -> datetime:
        return START + timedelta(seconds=self._network.turns.time + self._network.actor.skew)

    def monotonic(self) -> float:
        return self._network.turns.time

    def sleep(self, seconds: float) -> None:
        self._network.wait(seconds)


class FaultyLedger:
    """The ledger at the other end of the network; no budget may be overdrawn, and nothing given up too soon."""

    def __init__(self, books: MemoryLedger, network: Network) -> None:
        """Look after these books."""
        self.books, self._network = books, network

    def open(self, opening: Opening) -> Execution | None:
        self._network.actor.opening = opening
        return self._network.write(
            f"open {_name(opening)}", lambda: self._step(opening, lambda: self.books.open(opening))
        )

    def mark_sent(self, opening: Opening) -> None:
        self._network.write(f"sent {_name(opening)}", lambda: self.books.mark_sent(opening))

    def record_generation_id(self, opening: Opening, generation_id: str) -> None:
        self._network.write(f"name {_name(opening)}", lambda: self.books.record_generation_id(opening, generation_id))

    def save_result(self, opening: Opening, closing: Closing) -> None:
        self._network.write(f"leave {_name(opening)}", lambda: self.books.save_result(opening, closing))

    def release(self, opening: Opening) -> None:
        self._network.write(
            f"release {_name(opening)}", lambda: self._step(opening, lambda: self.books.release(opening))
        )

    def reclaim(self, execution_id: str, now: str) -> bool:
        return self._network.write(f"take back {execution_id}", lambda: self.books.reclaim(execution_id, now))

    def close(self, opening: Opening, closing: Closing) -> bool:
        if closing.state is State.LOST and closing.receipt.generation_id:
            asked_for = parse_time(closing.finished_at) - parse_time(opening.created_at)
            if asked_for < LONG_ENOUGH:
                raise Violation(f"{opening.execution_id} is given up after {asked_for}")
        what = f"close {_name(opening)} {closing.state} {closing.receipt.cost_nanousd}"
        return self._network.write(what, lambda: self._step(opening, lambda: self.books.close(opening, closing)))

    def mark_unknown(self, opening: Opening, closing: Closing, due_at: str) -> None:
        what = f"unknown {_name(opening)} {closing.receipt.generation_id}"
        self._network.write(
            what, lambda: self._step(opening, lambda: self.books.mark_unknown(opening, closing, due_at))
        )

    def reschedule(self, opening: Opening, due_at: str) -> None:
        self._network.write(f"postpone {_name(opening)}", lambda: self.books.reschedule(opening, due_at))

    def due(self, now: str) -> Iterator[OpenRun]:
        yield from self._network.read("looks for what is due", lambda: list(self.books.due(now)))

    def get(self, execution_id: str) -> Execution | None:
        return self._network.read(f"get {execution_id}", lambda: self.books.get(execution_id))

    def _step[Result](self, opening: Opening, step: Callable[[], Result]) -> Result:
        result = step()
        for hold in opening.holds:
            committed, spent = (self.books.budgets[hold.name][name] for name in ("committed", "spent"))
            if not 0 <= spent <= committed <= hold.cap_nanousd:
                raise Violation(f"{hold.name}: {spent} spent, {committed} committed of {hold.cap_nanousd}")
        return result


def _name(opening: Opening) -> str:
    return f"{opening.execution_id[-6:]}/{opening.run_id[-4:]}"


class SimulatedAnswers:
    """Answers, each in the row or as an object, as the dice say."""

    def __init__(self, dice: Random, network: Network) -> None:
        """None are kept yet."""
        self.objects: dict[str, str] = {}
        self._dice, self._network = dice, network

    def keep(self, execution_id: str, text: str) -> StoredAnswer:
        if self._dice.random() < 0.5:
            return StoredAnswer(text=text)
        key = f"media/{execution_id}/{len(self.objects)}"
        self._network.write(f"keep {key}", lambda: self.objects.__setitem__(key, text))
        return StoredAnswer(object_key=key)

    def read(self, answer: StoredAnswer) -> str | None:
        key = answer.object_key
        return answer.text if key is None else self._network.read(f"read {key}", lambda: self.objects.get(key))


@dataclass(frozen=True)
class Facts:
    """Everything that does not change while a schedule runs: one resource, the connections, the budgets."""

    resource: Resource
    model: CatalogModel
    connections: Mapping[str, Integration]
    budgets: Sequence[Budget]
    is_disconnected: bool = False
    """Whether payers have taken their keys away by the time that the reconciler wants one."""

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
            caller=Account(integration=self.connections.get(user_id)),
            models={self.model.openrouter_id: self.model},
            budgets=[budget for budget in self.budgets if budget.subject in subjects],
            platform=Account(integration=self.connections.get(PLATFORM)) if platform else None,
        )

    def get(self, user_id: str, service: str) -> Integration | None:
        return self.connections.get(user_id)


@dataclass(frozen=True)
class LaterFacts:
    """The integrations as the reconciler finds them."""

    facts: Facts

    def get(self, user_id: str, service: str) -> Integration | None:
        return None if self.facts.is_disconnected else self.facts.get(user_id, service)


class OneResource:
    """The port ResourceStore, as far as execution needs it."""

    def __init__(self, resource: Resource) -> None:
        """Know this one."""
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
    """Ports that no schedule uses: no model is gone, no key rejected, no image painted."""

    def get(self, openrouter_id: str) -> CatalogModel | None:
        raise NotImplementedError

    def some(self, model_ids: Iterable[str]) -> Mapping[str, CatalogModel]:
        raise NotImplementedError

    def related(self, model: CatalogModel) -> Sequence[CatalogModel]:
        raise NotImplementedError

    def set(self, integration: Integration, status: KeyStatus, at: str, limit_remaining: str | None = None) -> None:
        raise NotImplementedError

    def decode(self, data: bytes) -> DecodedImage | None:
        raise NotImplementedError

    def keep(self, image: Image, data: bytes) -> None:
        raise NotImplementedError


class OpenKeys:
    """The port KeyOpener."""

    def open(self, ciphertext: bytes, *, user_id: str, service: str) -> Secret:
        return Secret("sk-or-v1-simulated")
