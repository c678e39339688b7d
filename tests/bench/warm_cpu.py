"""CPU time of the process of execute for one warm call, compared with a baseline.

The baseline is baseline.py: the same AWS calls and the same upstream call with the same layer, and nothing else. Both
handle the same event under the same runtime client; moto, the fake OpenRouter and the stack are other processes.
"""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median

from tests.bench.setup import EXECUTE, Row, Setup, build
from tests.e2e.processes import cpu_ticks, function_processes
from tests.local.functions.layout import Built
from tests.local.functions.pool import Functions

ROUNDS = 5
CALLS = 70
WARM_UP = 40
_MS_PER_TICK = 1000 / os.sysconf("SC_CLK_TCK")


@dataclass
class Candidate:
    """One execution environment, its process, and the milliseconds per call of each round."""

    functions: Functions
    event: bytes
    pid: int = 0
    spent: list[float] = field(default_factory=list)

    def call(self, events: Sequence[bytes]) -> None:
        """Invoke the function with each event."""
        for event in events:
            outcome = self.functions.invoke(EXECUTE, event)
            assert outcome.content["statusCode"] == 200, outcome.payload

    def cpu_per_event(self, events: Sequence[bytes]) -> float:
        """Invoke the function with each event; return the mean CPU time in milliseconds."""
        before = cpu_ticks(self.pid)
        self.call(events)
        return (cpu_ticks(self.pid) - before) * _MS_PER_TICK / len(events)

    def run(self) -> None:
        """Measure one round."""
        self.spent.append(self.cpu_per_event([self.event] * CALLS))

    def __str__(self) -> str:
        return f"{median(self.spent):.2f} ms ({min(self.spent):.2f}-{max(self.spent):.2f})"


def measure(setup: Setup) -> list[Row]:
    """The medians of alternating rounds."""
    baseline_build = _baseline(setup.folder / "baseline")
    with (
        candidate(setup, build(), "functions.execute.app.handler") as ours,
        candidate(setup, baseline_build, "baseline.handler") as baseline,
    ):
        for _ in range(ROUNDS):
            ours.run()
            baseline.run()
    return [
        Row("CPU per warm execute", str(ours), "4 ms"),
        Row("… bare botocore and httpx, same calls", str(baseline)),
        Row("… ours / bare", f"{median(ours.spent) / median(baseline.spent):.2f}x"),
    ]


@contextmanager
def candidate(setup: Setup, layout: Built, handler: str) -> Iterator[Candidate]:
    """A warm execution environment of this handler, with the variables and permissions of execute."""
    stack = setup.world.stack
    plan = replace(stack.plan.functions[EXECUTE], handler=handler)
    others = set(function_processes(EXECUTE, stack.aws_url))
    with setup.world.log.open("ab") as log:
        functions = Functions({EXECUTE: plan}, layout, stack.aws_url, 1, log.fileno())
        made = Candidate(functions, setup.event)
        try:
            made.call([made.event] * WARM_UP)
            (made.pid,) = set(function_processes(EXECUTE, stack.aws_url)) - others
            yield made
        finally:
            functions.stop()


def _baseline(folder: Path) -> Built:
    """A build with the function baseline.py and the layers of the real build."""
    (folder / EXECUTE).mkdir(parents=True)
    shutil.copy(Path(__file__).with_name("baseline.py"), folder / EXECUTE)
    for layer in ("DependenciesLayer", "CoreLayer"):
        (folder / layer).symlink_to(build().build / layer)
    return Built(folder)
