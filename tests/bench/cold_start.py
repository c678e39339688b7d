"""Cold start: from the start of execute's process to its first answer, with bytecode and without."""

import shutil
import time
from pathlib import Path
from statistics import median

from tests.bench.setting import EXECUTE, Row, Setting, build
from tests.local.functions.layout import Built, Layout
from tests.local.functions.pool import Functions

ROUNDS = 7


def measure(setting: Setting) -> list[Row]:
    """The median of each, taken in turns."""
    compiled = build()
    bare = _without_bytecode(compiled, setting.folder / "bare")
    times: dict[Built, list[float]] = {compiled: [], bare: []}
    for _ in range(ROUNDS):
        for layout, taken in times.items():
            taken.append(_first_answer(setting, layout))
    fast, slow = (1000 * median(times[layout]) for layout in (compiled, bare))
    return [
        Row("cold start with .pyc", f"{fast:.0f} ms (best {1000 * min(times[compiled]):.0f})", "400 ms"),
        Row("cold start without", f"{slow:.0f} ms (best {1000 * min(times[bare]):.0f})"),
        Row("… with / without", f"{fast / slow:.2f}x", "0.45x"),
    ]


def _first_answer(setting: Setting, layout: Layout) -> float:
    """Seconds for one execution in a fresh process."""
    stack = setting.world.stack
    with setting.world.log.open("ab") as log:
        functions = Functions({EXECUTE: stack.plan.functions[EXECUTE]}, layout, stack.aws_url, 1, log.fileno())
        started = time.perf_counter()
        outcome = functions.invoke(EXECUTE, setting.event)
        taken = time.perf_counter() - started
        functions.stop()
    assert outcome.content["statusCode"] == 200, outcome.payload
    return taken


def _without_bytecode(built: Built, copy: Path) -> Built:
    """The same build as it would be without the compiling step."""
    for part in (EXECUTE, "DependenciesLayer", "CoreLayer"):
        shutil.copytree(built.build / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
    return Built(copy)
