"""Processor time that execute's own process spends on one warm call, next to the libraries' bare minimum.

The minimum is floor.py: the same AWS calls and the same upstream call from the same layer, and nothing else. Both
answer the same event under the same runtime client; moto, the fake OpenRouter and the stack are other processes.
"""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median

from tests.bench.setting import EXECUTE, Row, Setting, build
from tests.e2e.processes import cpu_ticks, function_processes
from tests.local.functions.layout import Built
from tests.local.functions.pool import Functions

ROUNDS = 5
CALLS = 70
WARM_UP = 40
_MS_PER_TICK = 1000 / os.sysconf("SC_CLK_TCK")


@dataclass
class Candidate:
    """One environment, its process, and the milliseconds per call of each round."""

    functions: Functions
    event: bytes
    pid: int = 0
    spent: list[float] = field(default_factory=list)

    def call(self, events: Sequence[bytes]) -> None:
        """Answer each event."""
        for event in events:
            outcome = self.functions.invoke(EXECUTE, event)
            assert outcome.content["statusCode"] == 200, outcome.payload

    def spend(self, events: Sequence[bytes]) -> float:
        """Milliseconds of processor time for each of these events."""
        before = cpu_ticks(self.pid)
        self.call(events)
        return (cpu_ticks(self.pid) - before) * _MS_PER_TICK / len(events)

    def run(self) -> None:
        """One round."""
        self.spent.append(self.spend([self.event] * CALLS))

    def __str__(self) -> str:
        return f"{median(self.spent):.2f} ms ({min(self.spent):.2f}-{max(self.spent):.2f})"


def measure(setting: Setting) -> list[Row]:
    """Medians over rounds taken in turns."""
    floor_build = _floor(setting.folder / "floor")
    with (
        candidate(setting, build(), "functions.execute.app.handler") as ours,
        candidate(setting, floor_build, "floor.handler") as floor,
    ):
        for _ in range(ROUNDS):
            ours.run()
            floor.run()
    return [
        Row("CPU per warm execute", str(ours), "4 ms"),
        Row("… bare botocore and httpx, same calls", str(floor)),
        Row("… ours / bare", f"{median(ours.spent) / median(floor.spent):.2f}x"),
    ]


@contextmanager
def candidate(setting: Setting, layout: Built, handler: str) -> Iterator[Candidate]:
    """A warm environment of that handler, with execute's environment and permissions."""
    stack = setting.world.stack
    plan = replace(stack.plan.functions[EXECUTE], handler=handler)
    others = set(function_processes(EXECUTE, stack.aws_url))
    with setting.world.log.open("ab") as log:
        functions = Functions({EXECUTE: plan}, layout, stack.aws_url, 1, log.fileno())
        made = Candidate(functions, setting.event)
        try:
            made.call([made.event] * WARM_UP)
            (made.pid,) = set(function_processes(EXECUTE, stack.aws_url)) - others
            yield made
        finally:
            functions.stop()


def _floor(folder: Path) -> Built:
    """A build whose one function is floor.py, over the layers of the real one."""
    (folder / EXECUTE).mkdir(parents=True)
    shutil.copy(Path(__file__).with_name("floor.py"), folder / EXECUTE)
    for layer in ("DependenciesLayer", "CoreLayer"):
        (folder / layer).symlink_to(build().build / layer)
    return Built(folder)
