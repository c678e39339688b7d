"""The clients of streams: they read, leave, cancel and resume; and the places of their executions in flight."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from random import Random

from instant.domain.clock import STREAM_LEASE_SECONDS
from instant.domain.errors import LimitsUnavailable
from instant.domain.executions.execution import Execution
from instant.domain.executions.output import Delta
from instant.domain.executions.prepared import Prepared
from instant.domain.limits import Rate
from instant.ports.clock import Clock
from instant.use_cases.access.throttle import ConcurrencyThrottle, Lease
from instant.use_cases.executions.streams.listener import Listener
from tests.fakes.rate_limiter import MemoryRateLimiter
from tests.simulator.calls import Call
from tests.simulator.network import Lost, Network
from tests.simulator.scheduler import Actor
from tests.simulator.violation import Violation

RATE = Rate(1_000, 60)


class Reader(Listener):
    """A client that reads a stream until it leaves after some pieces; its text is what it has received by then."""

    def __init__(self, call: Call, lease: Lease, *, text: str = "", leaves_after: int | None = None) -> None:
        """Begin with `text`."""
        self.call, self.text, self.execution_id = call, text, ""
        self._lease, self._left = lease, leaves_after

    @property
    def is_gone(self) -> bool:
        """Whether the client has left."""
        return self._left is not None and self._left <= 0

    def prepared(self, prepared: Prepared) -> None:
        self.execution_id = prepared.execution_id

    def joined(self, execution: Execution) -> None:
        self.execution_id = execution.execution_id

    def started(self) -> None:
        pass

    def delta(self, delta: Delta) -> None:
        if not self.is_gone:
            self.text = delta.text if delta.replace else self.text + delta.text
        if self._left is not None:
            self._left -= 1

    def image(self, path: str, media_type: str | None) -> None:
        raise NotImplementedError

    def idle(self) -> None:
        self._lease.renew_when_due()

    def check_text(self, expected: str) -> None:
        """Raise `Violation` unless the client has this text, or has left."""
        if self.text != expected and not self.is_gone:
            raise Violation(f"the client of {self.execution_id} has {self.text!r}, not {expected!r}")


class FaultyLimiter:
    """A rate limiter behind the network; each request has the time at which it was sent."""

    def __init__(self, limiter: type[MemoryRateLimiter], network: Network, clock: Clock) -> None:
        """Start empty."""
        self.inner = limiter(self)
        self._network, self._clock = network, clock
        self._sent_at = clock.now()

    def now(self) -> datetime:
        """The time of the request that is delivered."""
        return self._sent_at

    def monotonic(self) -> float:
        raise NotImplementedError

    def sleep(self, seconds: float) -> None:
        raise NotImplementedError

    def hit(self, user_id: str, what: str, rate: Rate) -> None:
        raise NotImplementedError

    def acquire(self, user_id: str, rate: Rate, most: int, seconds: float) -> str:
        return self._write("acquire", lambda: self.inner.acquire(user_id, rate, most, seconds))

    def renew(self, user_id: str, lease: str, seconds: float) -> str:
        return self._write("renew", lambda: self.inner.renew(user_id, lease, seconds))

    def release(self, user_id: str, lease: str) -> None:
        self._write("release", lambda: self.inner.release(user_id, lease))

    def _write[Result](self, what: str, effect: Callable[[], Result]) -> Result:
        """Deliver the request; it has the same effect however often it is delivered."""
        sent_at, results = self._clock.now(), list[Result]()

        def deliver() -> Result:
            if not results:
                self._sent_at = sent_at
                results.append(effect())
            return results[0]

        try:
            return self._network.write(f"{what} a place in flight", deliver)
        except Lost as error:
            raise LimitsUnavailable("Not now.") from error


class Places:
    """The places of executions in flight of each user, which the calls hold."""

    def __init__(self, rng: Random, network: Network, clock: Clock, limiter: type[MemoryRateLimiter]) -> None:
        """Draw the maximum."""
        self._network = network
        self._most = rng.choice([1, 2, 3, 100])
        self._throttle = ConcurrencyThrottle(
            FaultyLimiter(limiter, network, clock), RATE, self._most, clock, STREAM_LEASE_SECONDS
        )
        self._running: defaultdict[str, list[Actor]] = defaultdict(list)

    @contextmanager
    def place(self, user_id: str, seconds_left: float) -> Iterator[Lease]:
        """Hold a place during a call; of those without faults, no more run than allowed."""
        running, actor = self._running[user_id], self._network.actor
        with self._throttle(user_id, "POST /api/execute/stream", seconds_left) as lease:
            running.append(actor)
            undisturbed = [each for each in running if not each.is_disturbed]
            if len(undisturbed) > self._most:
                raise Violation(f"{len(undisturbed)} executions of {user_id} run, of {self._most}")
            try:
                yield lease
            finally:
                running.remove(actor)
