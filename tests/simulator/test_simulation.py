"""Seeded fault-injection schedules satisfy every invariant, and each faulty variant of the app violates one."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.simulator.faulty_apps import APPS
from tests.simulator.faulty_streams import STREAM_APPS
from tests.simulator.network import READS, WRITES
from tests.simulator.schedule import run_schedule
from tests.simulator.world import App

SCHEDULES = 1_800
ROOT = Path(__file__).parents[2]


COVERED = {
    "charged", "reconciled", "ended as DONE", "ended as FAILED", "ended as LOST", "returned an answer",
    "returned in_progress", "returned outcome_unknown", "returned idempotency_mismatch", "returned budget_exhausted",
    "returned internal", "returned cancelled", "cancelled", "resumed", *READS, *WRITES,
}  # fmt: skip
"""Counts that must be at least one percent of the number of schedules: every fault and every result occurs."""


def test_schedules_do_not_violate_any_invariant() -> None:
    counts: Counter[str] = Counter()
    for seed in range(SCHEDULES):
        verdict = run_schedule(seed)
        assert verdict.violation is None, f"seed {seed}: {verdict.violation}\n{verdict.trace_text}"
        counts += verdict.counts
    assert {name for name in COVERED if counts[name] < SCHEDULES / 100} == set()


@pytest.mark.parametrize("app", [*APPS.values(), *STREAM_APPS.values()], ids=[*APPS, *STREAM_APPS])
def test_simulation_finds_the_bug_of_each_faulty_app(app: App) -> None:
    assert any(run_schedule(seed, app).violation for seed in range(SCHEDULES))


def test_schedule_with_the_same_seed_returns_the_same_trace() -> None:
    """The second run is in another process with another hash seed."""
    program = "from tests.simulator.schedule import run_schedule; print(run_schedule(1337).trace_text)"
    environment = {**os.environ, "PYTHONPATH": "layers/core", "PYTHONHASHSEED": "7"}
    printed = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    ).stdout
    assert printed == run_schedule(1337).trace_text + "\n"
