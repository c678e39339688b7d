"""CPU time of the slowest hostile request body, of those that are rejected and those within the limits."""

import os
from collections.abc import Iterator

from tests.bench.setup import Row, Setup
from tests.e2e.processes import cpu_ticks, function_processes
from tests.fakes.hostile_bodies import BYTES, HOSTILE, OVER_LIMIT, slowest_accepted

FUNCTION, PATH = "PreviewFunction", "/api/resources/preview"
_SECONDS_PER_TICK = 1 / os.sysconf("SC_CLK_TCK")


def measure(setup: Setup) -> list[Row]:
    """Send each body once to the warm function that validates the most; return the slowest."""
    setup.world.call("alice", "POST", PATH, {})
    (process,) = function_processes(FUNCTION, setup.world.stack.aws_url)
    spent = {name: _seconds(setup, process, body) for name, body in _bodies()}
    slowest = max(spent, key=lambda name: spent[name])
    name = slowest.partition(", ")[2]
    return [Row(f"slowest of {len(spent)} hostile bodies: {name}", f"{spent[slowest]:.2f} s CPU", "under 1 s")]


def _bodies() -> Iterator[tuple[str, bytes]]:
    texts = [*HOSTILE.items(), *((name, raw) for name, (raw, _) in OVER_LIMIT.items()), *slowest_accepted()]
    for number, (name, raw) in enumerate(texts):
        yield f"{number}, {name}", raw.encode("utf-8", "surrogatepass")
    yield from ((f"bytes, {name}", raw) for name, raw in BYTES.items())


def _seconds(setup: Setup, process: int, body: bytes) -> float:
    before = cpu_ticks(process)
    reply = setup.world.call("alice", "POST", PATH, body, **{"Content-Type": "application/json"})
    assert reply.status < 500, reply.body
    return (cpu_ticks(process) - before) * _SECONDS_PER_TICK
