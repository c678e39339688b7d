"""Who goes on next: one process at a time, picked by dice with a seed, so that the same seed tells the same story."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from instant.domain.executions.execution import Opening

MOMENT = 0.02
"""Seconds that a step takes at most, if nothing holds it up."""


class Crash(BaseException):
    """The process ends here, without another word."""


class Actor:
    """A process: it begins at `ready_at`, and is ended after `lasts` seconds unless it `overstays`.

    `skew` is by how much its machine's clock is wrong; `call` what it was asked for, `opening` what it runs for that.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[], None],
        *,
        ready_at: float = 0,
        lasts: float,
        overstays: bool = False,
        skew: float = 0,
    ) -> None:
        """Wait for the first turn."""
        self.name, self.work, self.ready_at, self.lasts = name, work, ready_at, lasts
        self.overstays, self.skew = overstays, skew
        self.call = ""
        self.opening: Opening | None = None
        self.ends_at = float("inf")
        self.baton = threading.Lock()
        self.baton.acquire()

    def begin(self, time: float) -> None:
        """From now on its time runs out."""
        self.ends_at = float("inf") if self.overstays else time + self.lasts


@dataclass(eq=False)
class Letter:
    """A write that is still on its way."""

    ready_at: float
    arrive: Callable[[], None]


class Turns:
    """Threads that hand on one baton; time passes only here."""

    def __init__(self, dice: Random, *, zeal: float) -> None:
        """With `zeal` near 1 whoever has the turn mostly keeps it; near 0 each step is another's."""
        self.time = 0.0
        self.is_stopped = False
        self.mishap: BaseException | None = None
        self._dice, self._zeal = dice, zeal
        self._waiting: list[Actor | Letter] = []
        self._all_done = threading.Lock()
        self.actor = Actor("nobody", lambda: None, lasts=0)

    def run(self, actors: list[Actor]) -> None:
        """Let all of them live to their ends, and every letter arrive."""
        self._waiting += actors
        self._all_done.acquire()
        threads = [threading.Thread(target=self._live, args=(actor,), daemon=True) for actor in actors]
        for thread in threads:
            thread.start()
        self._hand_on()
        self._all_done.acquire()
        self._all_done.release()
        for thread in threads:
            thread.join()
        if self.mishap:
            raise self.mishap

    def pause(self, seconds: float = 0.0) -> None:
        """Let others go on, for so long at least."""
        me = self.actor
        me.ready_at = self.time + seconds
        if seconds or self._dice.random() >= self._zeal:
            chosen = self._chosen()
            if chosen is not me:
                assert chosen is not None
                self.actor = chosen
                chosen.baton.release()
                me.baton.acquire()
        else:
            self.time += self._dice.random() * MOMENT
        if self.is_stopped or self.time >= me.ends_at:
            raise Crash

    def send(self, letter: Letter) -> None:
        """Have it arrive when its time has come."""
        self._waiting.append(letter)

    def stop(self) -> None:
        """Everybody ends at their next turn."""
        self.is_stopped = True

    def _live(self, actor: Actor) -> None:
        actor.baton.acquire()
        actor.begin(self.time)
        try:
            if not self.is_stopped:
                actor.work()
        except Crash:
            pass
        except BaseException as error:
            self._fail(error)
        self._waiting.remove(actor)
        self._hand_on()

    def _hand_on(self) -> None:
        chosen = self._chosen()
        if chosen is None:
            self._all_done.release()
        else:
            self.actor = chosen
            chosen.baton.release()

    def _chosen(self) -> Actor | None:
        """Somebody who is ready, after the letters that are picked before; None when all have ended."""
        while self._waiting:
            self.time += self._dice.random() * MOMENT
            ready = [each for each in self._waiting if each.ready_at <= self.time]
            if not ready:
                self.time = min(each.ready_at for each in self._waiting)
                continue
            chosen = ready[int(self._dice.random() * len(ready))]
            if isinstance(chosen, Actor):
                return chosen
            self._waiting.remove(chosen)
            self._deliver(chosen)
        return None

    def _deliver(self, letter: Letter) -> None:
        if self.is_stopped:
            return
        try:
            letter.arrive()
        except BaseException as error:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        self.mishap = self.mishap or error
        self.stop()
