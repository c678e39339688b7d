"""Cold start: from the start of the process of execute to its first response, with and without bytecode."""

import shutil
import time
from pathlib import Path
from statistics import median

from tests.bench.setup import EXECUTE, Row, Setup, build
from tests.local.functions.layout import Built, Layout
from tests.local.functions.pool import Functions

ROUNDS = 7


def measure(setup: Setup) -> list[Row]:
    """The medians of alternating runs."""
    compiled = build()
    bare = _without_bytecode(compiled, setup.folder / "bare")
    times: dict[Built, list[float]] = {compiled: [], bare: []}
    for _ in range(ROUNDS):
        for layout, seconds in times.items():
            seconds.append(_first_answer(setup, layout))
    fast, slow = (1000 * median(times[layout]) for layout in (compiled, bare))
    return [
        Row("cold start with .pyc", f"{fast:.0f} ms (best {1000 * min(times[compiled]):.0f})", "400 ms"),
        Row("cold start without", f"{slow:.0f} ms (best {1000 * min(times[bare]):.0f})"),
        Row("… with / without", f"{fast / slow:.2f}x", "0.45x"),
    ]


def _first_answer(setup: Setup, layout: Layout) -> float:
    """Seconds for one execution in a new process."""
    stack = setup.world.stack
    with setup.world.log.open("ab") as log:
        functions = Functions({EXECUTE: stack.plan.functions[EXECUTE]}, layout, stack.aws_url, 1, log.fileno())
        started = time.perf_counter()
        outcome = functions.invoke(EXECUTE, setup.event)
        seconds = time.perf_counter() - started
        functions.stop()
    assert outcome.content["statusCode"] == 200, outcome.payload
    return seconds


def _without_bytecode(built: Built, copy: Path) -> Built:
    """A copy of the build without bytecode."""
    for part in (EXECUTE, "DependenciesLayer", "CoreLayer"):
        shutil.copytree(built.build / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
    return Built(copy)
