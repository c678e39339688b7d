"""The network between the processes and the services: it schedules other processes at each call, and injects faults."""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from random import Random

from instant.domain.errors import InstantError
from tests.fakes.ledger import Refused
from tests.simulator.scheduler import Actor, LateWrite, Scheduler

WRITES = (
    "crashed before",
    "crashed after",
    "request lost",
    "acknowledgement lost",
    "repeated immediately",
    "request late",
    "duplicate late",
    "crashed, request late",
)
READS = ("crashed before", "request lost")
MAX_PAUSES = (0.05, 3.0, 40.0, 200.0, 300.0, 90_000.0)
"""Maximum seconds of a pause; one is drawn for each pause."""


class Lost(Exception):
    """No response arrived; the call may have been executed."""


class Network:
    """Executes calls, with faults."""

    def __init__(self, rng: Random, scheduler: Scheduler) -> None:
        """Draw the faults of this schedule and their rates: bugs are found faster with few faults at a time."""
        self.scheduler, self._rng = scheduler, rng
        self.counts: Counter[str] = Counter()
        self.trace: list[tuple[float, str, str]] = []
        self.is_fault_free = self.is_delivering = False
        self._rate = rng.choice([0.0, 0.02, 0.05, 0.12, 0.25])
        self._pauses = rng.choice([0.0, 0.02, 0.1, 0.3])
        self._writes = [fault for fault in WRITES if rng.random() < 0.5]
        self._reads = [fault for fault in READS if rng.random() < 0.5]

    @property
    def actor(self) -> Actor:
        """The actor that runs now."""
        return self.scheduler.actor

    @property
    def has_had_no_faults(self) -> bool:
        """Whether no fault and no pause has occurred."""
        return not any(self.counts[fault] for fault in (*WRITES, *READS, "paused"))

    def note(self, text: str) -> None:
        """Add an event to the trace."""
        self.trace.append((self.scheduler.time, self.actor.name, text))

    def write[Result](self, what: str, effect: Callable[[], Result]) -> Result:
        """Execute `effect` now, later, twice or never; return its result, or raise `Lost` or `Crash`."""
        fault = self._next_fault(what, self._writes)
        if fault in {"request late", "duplicate late", "crashed, request late"}:
            self._send_late(what, effect)
        if fault in {"crashed before", "crashed, request late"}:
            self.actor.crash()
        if fault in {"request lost", "request late"}:
            raise Lost(what)
        if fault in {"crashed after", "acknowledgement lost", "repeated immediately"}:
            with suppress(InstantError, Refused):
                effect()
        if fault == "crashed after":
            self.actor.crash()
        if fault == "acknowledgement lost":
            raise Lost(what)
        return effect()

    def read[Result](self, what: str, effect: Callable[[], Result]) -> Result:
        """Return the result of `effect`, or raise `Lost` or `Crash`."""
        fault = self._next_fault(what, self._reads)
        if fault == "crashed before":
            self.actor.crash()
        if fault:
            raise Lost(what)
        return effect()

    def wait(self, seconds: float) -> None:
        """Advance the time by at least this many seconds."""
        if self.is_fault_free:
            self.scheduler.time += seconds
        else:
            self.scheduler.pause(seconds)

    def _next_fault(self, what: str, faults: list[str]) -> str | None:
        """Let others run, then return the fault of this call, if there is one."""
        if self.is_fault_free:
            self.note(what)
            return None
        if self._pauses and self._rng.random() < self._pauses:
            self.counts["paused"] += 1
            self.actor.is_disturbed = True
            self.scheduler.pause(self._rng.random() * self._rng.choice(MAX_PAUSES))
        self.scheduler.pause()
        fault = self._rng.choice(faults) if faults and self._rng.random() < self._rate else None
        if fault:
            self.counts[fault] += 1
            self.actor.is_disturbed = True
        self.note(f"{what}: {fault}" if fault else what)
        return fault

    def _send_late(self, what: str, effect: Callable[[], object]) -> None:
        def deliver() -> None:
            self.trace.append((self.scheduler.time, "network", f"{what} is delivered late"))
            self.is_delivering = True
            with suppress(InstantError, Refused):
                effect()
            self.is_delivering = False

        seconds = self._rng.random() * self._rng.choice([0.3, 5.0, 100.0, 400.0])
        self.scheduler.add(LateWrite(self.scheduler.time + seconds, deliver))
