"""One schedule: drawn from a seed, run with all that goes wrong in it, brought to its end, and judged."""

import logging
import random
import secrets
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from random import Random
from unittest import mock

from instant.domain.clock import parse_time
from instant.domain.executions.execution import State
from tests.fakes.clock import START
from tests.simulator.invariants import check_end, check_nothing_is_late
from tests.simulator.turns import Actor
from tests.simulator.violation import Violation
from tests.simulator.world import LASTS, App, Call, World

MINUTE = 60.0
"""How often the reconciler runs."""

PROMPTS = ("Say hello.", "Say good-bye.")
SKEW = 10.0
"""Seconds by which a machine's clock may be wrong."""

MAX_LOOKS = 500
"""How often the reconciler may have to run until nothing is open: a day of pauses that grow to an hour is less."""


@dataclass(frozen=True)
class Verdict:
    """What a schedule came to: `broken` says which promise, if any."""

    seed: int
    counts: Counter[str]
    trace: list[tuple[float, str, str]]
    broken: str | None

    @property
    def story(self) -> str:
        """The trace to read."""
        return "\n".join(f"{time:12.3f}  {who:10}  {what}" for time, who, what in self.trace)


@contextmanager
def seeded(seed: int) -> Iterator[Random]:
    """All chance comes from these dice: ids, jitter, faults, turns."""
    dice = Random(seed)
    random.seed(seed)
    with mock.patch.object(secrets, "randbits", dice.getrandbits):
        logging.disable()
        try:
            yield dice
        finally:
            logging.disable(logging.NOTSET)


def run_schedule(seed: int, app: App | None = None) -> Verdict:
    """The same seed in the same app is the same story."""
    with seeded(seed) as dice:
        world, broken = World(dice, app or App()), None
        try:
            calls = _calls(dice)
            world.network.turns.run([*_callers(dice, world, calls), *_reconcilers(dice, world)])
            _settle(dice, world, calls)
            check_end(world)
        except Violation as violation:
            broken = str(violation)
    rows = world.books.rows.values()
    counts = world.network.counts + Counter(f"came to {row.state}" for row in rows)
    counts["reconciled"] = sum("reconciled_at" in row.facts and row.state is not State.LOST for row in rows)
    counts["charged"] = len(world.service.charged)
    return Verdict(seed, counts, world.network.trace, broken)


def _calls(dice: Random) -> list[Call]:
    """Few calls, with many repeats: some with a key, some with the same key for another request, some plain."""
    calls: list[Call] = []
    for number in range(dice.choice([1, 1, 2])):
        user_id, key_id = dice.choice(["user_alice", "user_bob"]), dice.choice([None, "key_1"])
        prompt, key = dice.choice(PROMPTS), f"key-{number}"
        call = Call(f"{user_id}/{key}", user_id, key_id, key, prompt)
        calls += [call] * dice.choice([1, 2, 3, 4])
        if dice.random() < 0.3:
            calls.append(replace(call, prompt=PROMPTS[0] if prompt == PROMPTS[1] else PROMPTS[1]))
    for number in range(dice.choice([0, 0, 1, 2, 4])):
        user_id = dice.choice(["user_alice", "user_bob"])
        calls.append(Call(f"plain-{number}", user_id, dice.choice([None, "key_1"]), None, PROMPTS[0]))
    return calls


def _callers(dice: Random, world: World, calls: list[Call]) -> list[Actor]:
    spread, overstaying = dice.choice([0.1, 3.0, 40.0, 400.0, 400.0, 100_000.0]), dice.choice([0.0, 0.2, 1.0])
    return [
        Actor(
            f"caller {number}",
            lambda call=call: world.call(call),  # type: ignore[misc]
            ready_at=dice.random() * spread,
            lasts=LASTS,
            overstays=dice.random() < overstaying,
            skew=dice.uniform(-SKEW, SKEW),
        )
        for number, call in enumerate(calls)
    ]


def _reconcilers(dice: Random, world: World) -> list[Actor]:
    """Some at about the same time, some much later."""
    return [
        Actor(
            f"desk {number}",
            world.look_after,
            ready_at=dice.random() * dice.choice([30.0, 200.0, 400.0, 180_000.0]),
            lasts=300,
            skew=dice.uniform(-SKEW, SKEW),
        )
        for number in range(dice.choice([0, 1, 2, 4]))
    ]


def _settle(dice: Random, world: World, calls: list[Call]) -> None:
    """No more faults: every caller asks again, and time goes on until nothing is open."""
    world.network.is_calm = True
    world.network.turns.actor = Actor("recorder", lambda: None, lasts=0)
    _until_nothing_is_open(dice, world)
    world.network.turns.actor = Actor("caller", lambda: None, lasts=0)
    named = [call for call in dict.fromkeys(calls) if call.key]
    for call in named * 2:  # one that was refused may be followed by another with its key
        world.call(call)
    _until_nothing_is_open(dice, world)


def _until_nothing_is_open(dice: Random, world: World) -> None:
    turns, calm_since = world.network.turns, world.deps.clock.now()
    for _ in range(MAX_LOOKS):
        check_nothing_is_late(world, calm_since)
        world.look_after()
        due = [row.due_at for row in world.books.rows.values() if row.due_at]
        if not due:
            return
        first = (parse_time(min(due)) - START).total_seconds()
        turns.time = max(turns.time + MINUTE, first + dice.random() * MINUTE)
    raise Violation("something stays open for ever")
