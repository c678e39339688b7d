"""How long the slowest of all hostile bodies takes: those that are refused, and the worst within the limits."""

from collections.abc import Iterator
from time import perf_counter

from tests.bench.setting import Row, Setting
from tests.fakes.hostile_bodies import BYTES, HOSTILE, LABORIOUS, bearable

PATH = "/api/resources/preview"


def measure(setting: Setting) -> list[Row]:
    """Each is sent once to the warm function that reads the most of a body; the slowest is told."""
    setting.world.call("alice", "POST", PATH, {})
    taken = {name: _seconds(setting, body) for name, body in _bodies()}
    slowest = max(taken, key=lambda name: taken[name])
    return [Row(f"slowest of {len(taken)} hostile bodies ({slowest})", f"{taken[slowest]:.2f} s", "under 1 s")]


def _bodies() -> Iterator[tuple[str, bytes]]:
    texts = [*HOSTILE.items(), *((name, raw) for name, (raw, _) in LABORIOUS.items()), *bearable()]
    for number, (name, raw) in enumerate(texts):
        yield f"no. {number}, {name}", raw.encode("utf-8", "surrogatepass")
    yield from BYTES.items()


def _seconds(setting: Setting, body: bytes) -> float:
    began = perf_counter()
    reply = setting.world.call("alice", "POST", PATH, body, **{"Content-Type": "application/json"})
    assert reply.status < 500, reply.body
    return perf_counter() - began
