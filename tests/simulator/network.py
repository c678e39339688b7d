"""Between the processes and what they call: each call is a turn of the others, and may go wrong in every known way."""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from random import Random

from instant.domain.errors import InstantError
from tests.fakes.ledger import Refused
from tests.simulator.turns import Actor, Crash, Letter, Turns

WRITES = (
    "crashed before",
    "crashed after",
    "request lost",
    "acknowledgement lost",
    "repeated at once",
    "request late",
    "duplicate late",
    "crashed, request late",
)
READS = ("crashed before", "request lost")
PAUSES = (0.05, 3.0, 40.0, 200.0, 300.0, 90_000.0)
"""Seconds for which a process may be held up, at most."""


class Lost(Exception):
    """No answer came: whether the call was carried out is not known."""


class Network:
    """What happens to calls on their way."""

    def __init__(self, dice: Random, turns: Turns) -> None:
        """Draw which faults there are in this schedule, and how often: few kinds at a time are found more surely."""
        self.turns, self._dice = turns, dice
        self.counts: Counter[str] = Counter()
        self.trace: list[tuple[float, str, str]] = []
        self.is_calm = self.is_arriving = False
        self._rate = dice.choice([0.0, 0.02, 0.05, 0.12, 0.25])
        self._pauses = dice.choice([0.0, 0.02, 0.1, 0.3])
        self._writes = [fault for fault in WRITES if dice.random() < 0.5]
        self._reads = [fault for fault in READS if dice.random() < 0.5]

    @property
    def actor(self) -> Actor:
        """Whose turn it is."""
        return self.turns.actor

    @property
    def has_been_good(self) -> bool:
        """Whether every call went through at once."""
        return not any(self.counts[fault] for fault in (*WRITES, *READS, "held up"))

    def note(self, text: str) -> None:
        """Have it in the trace."""
        self.trace.append((self.turns.time, self.actor.name, text))

    def write[Result](self, what: str, effect: Callable[[], Result]) -> Result:
        """Carry it out now, later, twice, or never; and tell the truth about it, or nothing."""
        fault = self._turn(what, self._writes)
        if fault in {"request late", "duplicate late", "crashed, request late"}:
            self._send_late(what, effect)
        if fault in {"crashed before", "crashed, request late"}:
            raise Crash
        if fault in {"request lost", "request late"}:
            raise Lost(what)
        if fault in {"crashed after", "acknowledgement lost", "repeated at once"}:
            with suppress(InstantError, Refused):
                effect()
        if fault == "crashed after":
            raise Crash
        if fault == "acknowledgement lost":
            raise Lost(what)
        return effect()

    def read[Result](self, what: str, effect: Callable[[], Result]) -> Result:
        """What stands there now, or nothing."""
        fault = self._turn(what, self._reads)
        if fault == "crashed before":
            raise Crash
        if fault:
            raise Lost(what)
        return effect()

    def wait(self, seconds: float) -> None:
        """Let time go by."""
        if self.is_calm:
            self.turns.time += seconds
        else:
            self.turns.pause(seconds)

    def _turn(self, what: str, faults: list[str]) -> str | None:
        """What goes wrong with this call, if anything, after the others had their turn."""
        if self.is_calm:
            self.note(what)
            return None
        if self._pauses and self._dice.random() < self._pauses:
            self.counts["held up"] += 1
            self.turns.pause(self._dice.random() * self._dice.choice(PAUSES))
        self.turns.pause()
        fault = self._dice.choice(faults) if faults and self._dice.random() < self._rate else None
        if fault:
            self.counts[fault] += 1
        self.note(f"{what}: {fault}" if fault else what)
        return fault

    def _send_late(self, what: str, effect: Callable[[], object]) -> None:
        def arrive() -> None:
            self.trace.append((self.turns.time, "network", f"{what} arrives late"))
            self.is_arriving = True
            with suppress(InstantError, Refused):
                effect()
            self.is_arriving = False

        seconds = self._dice.random() * self._dice.choice([0.3, 5.0, 100.0, 400.0])
        self.turns.send(Letter(self.turns.time + seconds, arrive))
