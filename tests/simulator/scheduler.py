"""A deterministic scheduler: one process runs at a time, and a seeded generator picks the next one."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import NoReturn

from instant.domain.executions.execution import Opening

MAX_STEP_SECONDS = 0.02
"""Maximum seconds of a step without a pause."""


class Crash(BaseException):
    """The process ends at once."""


class Actor:
    """A process: it starts at `ready_at`, and ends after `timeout` seconds unless `ignores_timeout`.

    `is_disturbed` says whether a fault or a pause has affected it. `skew` is the error of its clock, `call` the label
    of its call, `opening` the execution that it runs for it.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[], None],
        *,
        ready_at: float = 0,
        timeout: float,
        ignores_timeout: bool = False,
        skew: float = 0,
    ) -> None:
        """Hold the turn of the actor until it is scheduled."""
        self.name, self.work, self.ready_at, self.timeout = name, work, ready_at, timeout
        self.ignores_timeout, self.skew = ignores_timeout, skew
        self.call = ""
        self.is_disturbed = False
        self.opening: Opening | None = None
        self.ends_at = float("inf")
        self.turn = threading.Lock()
        self.turn.acquire()

    def start(self, time: float) -> None:
        """Start the timeout."""
        self.ends_at = float("inf") if self.ignores_timeout else time + self.timeout

    def crash(self) -> NoReturn:
        """End the process: nothing that it tries to do from now on has an effect."""
        self.ends_at = float("-inf")
        raise Crash


@dataclass(eq=False)
class LateWrite:
    """A write that is delivered at `ready_at`."""

    ready_at: float
    deliver: Callable[[], None]


class Scheduler:
    """Runs one thread at a time, and owns the simulated time."""

    def __init__(self, rng: Random, *, keep_probability: float) -> None:
        """`keep_probability` is the probability that the current actor also takes the next step."""
        self.time = 0.0
        self.is_stopped = False
        self.error: BaseException | None = None
        self._rng, self._keep_probability = rng, keep_probability
        self._waiting: list[Actor | LateWrite] = []
        self._all_done = threading.Lock()
        self.actor = Actor("none", lambda: None, timeout=0)

    def run(self, actors: list[Actor]) -> None:
        """Run all actors to their ends, and deliver every late write."""
        self._waiting += actors
        self._all_done.acquire()
        threads = [threading.Thread(target=self._run_actor, args=(actor,), daemon=True) for actor in actors]
        for thread in threads:
            thread.start()
        self._switch()
        self._all_done.acquire()
        self._all_done.release()
        for thread in threads:
            thread.join()
        if self.error:
            raise self.error

    def pause(self, seconds: float = 0.0) -> None:
        """Let other actors run for at least this time; raise `Crash` after the timeout."""
        current = self.actor
        current.ready_at = self.time + seconds
        if seconds or self._rng.random() >= self._keep_probability:
            chosen = self._next_actor()
            if chosen is not current:
                assert chosen is not None
                self.actor = chosen
                chosen.turn.release()
                current.turn.acquire()
        else:
            self.time += self._rng.random() * MAX_STEP_SECONDS
        if self.is_stopped or self.time >= current.ends_at:
            raise Crash

    @property
    def running(self) -> list[Actor]:
        """The processes that have not ended."""
        return [each for each in self._waiting if isinstance(each, Actor) and each.ends_at > self.time]

    def add(self, write: LateWrite) -> None:
        """Deliver this write at its time."""
        self._waiting.append(write)

    def stop(self) -> None:
        """End every actor at its next step."""
        self.is_stopped = True

    def _run_actor(self, actor: Actor) -> None:
        actor.turn.acquire()
        actor.start(self.time)
        try:
            if not self.is_stopped:
                actor.work()
        except Crash:
            pass
        except BaseException as error:
            self._fail(error)
        self._waiting.remove(actor)
        self._switch()

    def _switch(self) -> None:
        chosen = self._next_actor()
        if chosen is None:
            self._all_done.release()
        else:
            self.actor = chosen
            chosen.turn.release()

    def _next_actor(self) -> Actor | None:
        """A random ready actor; delivers the late writes that are picked before it. None when all have ended."""
        while self._waiting:
            self.time += self._rng.random() * MAX_STEP_SECONDS
            ready = [each for each in self._waiting if each.ready_at <= self.time]
            if not ready:
                self.time = min(each.ready_at for each in self._waiting)
                continue
            chosen = ready[int(self._rng.random() * len(ready))]
            if isinstance(chosen, Actor):
                return chosen
            self._waiting.remove(chosen)
            self._deliver(chosen)
        return None

    def _deliver(self, write: LateWrite) -> None:
        if self.is_stopped:
            return
        try:
            write.deliver()
        except BaseException as error:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        self.error = self.error or error
        self.stop()
