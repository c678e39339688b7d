"""Runs one schedule that is generated from a seed, with its faults, to its end, and checks the invariants."""

import logging
import random
import secrets
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from random import Random
from unittest import mock

from instant.domain.clock import STREAM_LEASE_SECONDS, parse_time
from instant.domain.executions.execution import State
from tests.fakes.clock import START
from tests.simulator.calls import STREAM_SECONDS, Call
from tests.simulator.invariants import check_end, check_no_execution_is_overdue
from tests.simulator.ports import MAX_SKEW
from tests.simulator.scheduler import Actor
from tests.simulator.violation import Violation
from tests.simulator.world import App, World

MINUTE = 60.0
"""Seconds between two runs of the reconciler."""

PROMPTS = ("Say hello.", "Say good-bye.")
MAX_RUNS = 500
"""Maximum runs of the reconciler until no execution is open: with delays that grow to an hour, a day takes fewer."""


@dataclass(frozen=True)
class Verdict:
    """The result of a schedule: `violation` describes the broken invariant, if there is one."""

    seed: int
    counts: Counter[str]
    trace: list[tuple[float, str, str]]
    violation: str | None

    @property
    def trace_text(self) -> str:
        """The trace, one line per event."""
        return "\n".join(f"{time:12.3f}  {actor:12}  {event}" for time, actor, event in self.trace)


@contextmanager
def seeded(seed: int) -> Iterator[Random]:
    """Seed every source of randomness (ids, jitter, faults, order of steps), and return the generator."""
    rng = Random(seed)
    random.seed(seed)
    with mock.patch.object(secrets, "randbits", rng.getrandbits):
        logging.disable()
        try:
            yield rng
        finally:
            logging.disable(logging.NOTSET)


def run_schedule(seed: int, app: App | None = None) -> Verdict:
    """Run the schedule of this seed; the same seed and the same app give the same trace."""
    with seeded(seed) as rng:
        world, problem = World(rng, app or App()), None
        try:
            calls = _calls(rng)
            actors = [*_callers(rng, world, calls), *_reconcilers(rng, world), *_clients(rng, world, calls)]
            world.network.scheduler.run(actors)
            _settle(rng, world, calls)
            check_end(world)
        except Violation as violation:
            problem = str(violation)
    rows = world.ledger.rows.values()
    counts = world.network.counts + Counter(f"ended as {row.state}" for row in rows)
    counts["reconciled"] = sum("reconciled_at" in row.facts and row.state is not State.LOST for row in rows)
    counts["charged"] = len(world.service.charged)
    return Verdict(seed, counts, world.network.trace, problem)


def _calls(rng: Random) -> list[Call]:
    """Few calls with many retries: some with a key, some reuse a key for another request, some have no key."""
    calls: list[Call] = []
    streamed = rng.choice([0.0, 0.0, 0.5, 1.0])
    for number in range(rng.choice([1, 1, 2])):
        user_id, key_id = rng.choice(["user_alice", "user_bob"]), rng.choice([None, "key_1"])
        prompt, key = rng.choice(PROMPTS), f"key-{number}"
        call = Call(f"{user_id}/{key}", user_id, key_id, key, prompt)
        calls += [call] * rng.choice([1, 2, 3, 4])
        if rng.random() < 0.3:
            calls.append(replace(call, prompt=PROMPTS[0] if prompt == PROMPTS[1] else PROMPTS[1]))
    for number in range(rng.choice([0, 0, 1, 2, 4])):
        user_id = rng.choice(["user_alice", "user_bob", "user_carol", "user_dave"])
        calls.append(Call(f"keyless-{number}", user_id, rng.choice([None, "key_1"]), None, PROMPTS[0]))
    return [replace(call, is_streamed=True) if rng.random() < streamed else call for call in calls]


def _callers(rng: Random, world: World, calls: list[Call]) -> list[Actor]:
    spread, ignoring = rng.choice([0.1, 3.0, 40.0, 400.0, 400.0, 100_000.0]), rng.choice([0.0, 0.2, 1.0])
    return [
        Actor(
            f"caller {number}",
            lambda call=call: world.call(call),  # type: ignore[misc]
            ready_at=rng.random() * spread,
            timeout=call.seconds,
            ignores_timeout=rng.random() < ignoring,
            skew=rng.uniform(-MAX_SKEW, MAX_SKEW),
        )
        for number, call in enumerate(calls)
    ]


def _reconcilers(rng: Random, world: World) -> list[Actor]:
    """Up to four runs of the reconciler: some at about the same time as the calls, some much later."""
    return [
        Actor(
            f"reconciler {number}",
            world.reconcile,
            ready_at=rng.random() * rng.choice([30.0, 200.0, 400.0, 180_000.0]),
            timeout=300,
            skew=rng.uniform(-MAX_SKEW, MAX_SKEW),
        )
        for number in range(rng.choice([0, 1, 2, 4]))
    ]


def _clients(rng: Random, world: World, calls: list[Call]) -> list[Actor]:
    """Up to four clients who cancel or resume a stream, while it runs or later."""
    if not any(call.is_streamed for call in calls):
        return []
    return [
        Actor(
            f"client {number}",
            rng.choice([world.cancel, world.resume]),
            ready_at=rng.random() * rng.choice([1.0, 30.0, 200.0, 1_000.0]),
            timeout=STREAM_SECONDS,
            skew=rng.uniform(-MAX_SKEW, MAX_SKEW),
        )
        for number in range(rng.choice([0, 1, 2, 4]))
    ]


def _settle(rng: Random, world: World, calls: list[Call]) -> None:
    """Without faults: run the reconciler until no execution is open, with a retry of every idempotent call between."""
    world.network.is_fault_free = True
    world.network.scheduler.time += STREAM_LEASE_SECONDS + MAX_SKEW
    world.network.scheduler.actor = Actor("reconciler", lambda: None, timeout=0)
    _reconcile_until_closed(rng, world)
    world.network.scheduler.actor = Actor("caller", lambda: None, timeout=0)
    idempotent = [call for call in dict.fromkeys(calls) if call.key]
    for call in idempotent * 2:  # after a rejected call, another call with the same key may be accepted
        world.call(call)
    for _ in range(min(2, len(world.readers))):
        world.resume()
    _reconcile_until_closed(rng, world)


def _reconcile_until_closed(rng: Random, world: World) -> None:
    scheduler, fault_free_since = world.network.scheduler, world.deps.clock.now()
    for _ in range(MAX_RUNS):
        check_no_execution_is_overdue(world, fault_free_since)
        world.reconcile()
        due = [row.due_at for row in world.ledger.rows.values() if row.due_at]
        if not due:
            return
        first = (parse_time(min(due)) - START).total_seconds()
        scheduler.time = max(scheduler.time + MINUTE, first + rng.random() * MINUTE)
    raise Violation("an execution is never closed")
