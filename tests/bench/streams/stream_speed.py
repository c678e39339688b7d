"""What this service adds to a stream: time to the first byte, the delay of a chunk, and CPU time.

All candidates stream in alternation. The time of this service to the first byte includes its calls to the simulated AWS
of the local stack, and all its times include the local Runtime API, which runs in this process.
"""

import os
import random
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from statistics import median, quantiles

from tests.bench.setup import Row, Setup
from tests.bench.streams import peers
from tests.bench.streams.ours import streaming
from tests.bench.streams.peers import Peer
from tests.bench.streams.reading import Reading, read
from tests.e2e.processes import cpu_ticks

ROUNDS = 5
SHORT_STREAMS = 20
SHORT = "chunks=1 pause=1 letters=80"
LONG = "chunks=2000 pause=1000 letters=80"
"""A chunk each millisecond, longer than what is held back to mask keys: every chunk is passed on by itself."""

_MS_PER_TICK = 1000 / os.sysconf("SC_CLK_TCK")


@dataclass
class Candidate:
    """A process that streams, and what was measured: milliseconds, and of delays microseconds."""

    name: str
    pid: int
    read: Callable[[str], Reading]
    first_byte: list[float] = field(default_factory=list)
    preparation: list[float] = field(default_factory=list)
    delays: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def read_short(self) -> None:
        """Measure the first byte of a stream."""
        reading = self.read(SHORT)
        self.first_byte.append(reading.first_byte_ms)
        self.preparation.append(reading.preparation_ms)

    def read_long(self, short_ticks: float) -> None:
        """Measure the chunks of a stream; the CPU time of a short one is not theirs."""
        before = cpu_ticks(self.pid)
        delays = self.read(LONG).delays
        spent = cpu_ticks(self.pid) - before - short_ticks
        self.delays += [delay / 1e3 for delay in delays]
        self.cpu.append(spent * _MS_PER_TICK / len(delays) * 1000)


def measure(setup: Setup) -> list[Row]:
    """The medians of alternating rounds."""
    with ExitStack() as stack:
        source = stack.enter_context(peers.upstream())
        others = [
            stack.enter_context(peers.bare_proxy(source)),
            stack.enter_context(peers.nginx(source, setup.folder)),
        ]
        ours = stack.enter_context(streaming(setup, source))
        candidates = [
            *(_candidate(peer) for peer in (source, *others) if peer),
            Candidate(ours.name, ours.pid, ours.read),
        ]
        for _ in range(ROUNDS):
            _run(candidates)
    return [*_first_bytes(*candidates), *_delays(candidates), *_cpu(*candidates)]


def _run(candidates: Sequence[Candidate]) -> None:
    """One round: the candidates take turns in any order, since a stream finds the caches as the last one left them."""
    before = [cpu_ticks(candidate.pid) for candidate in candidates]
    for candidate in random.sample([*candidates] * SHORT_STREAMS, len(candidates) * SHORT_STREAMS):
        candidate.read_short()
    for candidate, ticks in zip(candidates, before, strict=True):
        candidate.read_long((cpu_ticks(candidate.pid) - ticks) / SHORT_STREAMS)


def _candidate(peer: Peer) -> Candidate:
    return Candidate(peer.name, peer.pid, lambda prompt: read(peer.port, prompt))


def _first_bytes(source: Candidate, *others: Candidate) -> list[Row]:
    own, earlier = median(source.first_byte), median(source.preparation)
    rows = [Row("first byte of a stream: the upstream itself", f"{own:.2f} ms")]
    for each in others:
        added, before = median(each.first_byte) - own, median(each.preparation) - earlier
        text = f"{added:.2f} ms, of which {before:.2f} ms before the upstream has the request"
        rows.append(Row(f"… added by {each.name}", text))
    return rows


def _delays(candidates: Sequence[Candidate]) -> list[Row]:
    rows = [
        Row(
            f"delay of a chunk, {each.name}",
            f"{median(each.delays):.0f} µs; 99 %: {quantiles(each.delays, n=100)[98]:.0f} µs",
        )
        for each in candidates
    ]
    return [*rows, Row("… ours / bare", f"{median(candidates[-1].delays) / median(candidates[1].delays):.2f}x")]


def _cpu(_: Candidate, bare: Candidate, *others: Candidate) -> list[Row]:
    rows = [Row(f"CPU per 1,000 chunks, {each.name}", _range(each.cpu)) for each in (bare, *others)]
    return [*rows, Row("… ours / bare", f"{median(others[-1].cpu) / median(bare.cpu):.2f}x")]


def _range(values: list[float]) -> str:
    return f"{median(values):.0f} ms ({min(values):.0f}-{max(values):.0f})"
