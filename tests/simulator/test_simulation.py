"""Thousands of schedules keep every promise, and each planted bug breaks one."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.simulator.network import READS, WRITES
from tests.simulator.planted import APPS
from tests.simulator.schedule import run_schedule
from tests.simulator.world import App

SCHEDULES = 2_000
ROOT = Path(__file__).parents[2]


EVERYWHERE = {
    "charged", "reconciled", "came to DONE", "came to FAILED", "came to LOST", "told an answer", "told in_progress",
    "told outcome_unknown", "told idempotency_mismatch", "told budget_exhausted", "told internal", *READS, *WRITES,
}  # fmt: skip


def test_schedules_keep_every_promise() -> None:
    counts: Counter[str] = Counter()
    for seed in range(SCHEDULES):
        verdict = run_schedule(seed)
        assert verdict.broken is None, f"seed {seed}: {verdict.broken}\n{verdict.story}"
        counts += verdict.counts
    assert {name for name in EVERYWHERE if counts[name] < SCHEDULES / 100} == set()


@pytest.mark.parametrize("app", APPS.values(), ids=APPS)
def test_simulation_finds_each_planted_bug(app: App) -> None:
    assert any(run_schedule(seed, app).broken for seed in range(SCHEDULES))


def test_schedule_with_the_same_seed_returns_the_same_trace() -> None:
    """Also in another process with different hash seeds."""
    program = "from tests.simulator.schedule import run_schedule; print(run_schedule(1337).story)"
    environment = {**os.environ, "PYTHONPATH": "layers/core", "PYTHONHASHSEED": "7"}
    told = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    ).stdout
    assert told == run_schedule(1337).story + "\n"
