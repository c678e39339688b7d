"""`python -m tests.simulator` runs fault-injection schedules (SCHEDULES=100000, from SEED=0) and prints counts.

The trace of the first schedule with a violation is printed, and the exit code is 1.
"""

import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

from tests.simulator.schedule import Verdict, run_schedule

SCHEDULES = int(os.environ.get("SCHEDULES") or 100_000)
SEED = int(os.environ.get("SEED") or 0)
BATCH = 500

type Batch = tuple[Counter[str], Verdict | None]


def run_batch(seeds: range) -> Batch:
    """Run these schedules; return the counts, and the verdict of the first one with a violation."""
    counts: Counter[str] = Counter()
    for seed in seeds:
        verdict = run_schedule(seed)
        counts.update(verdict.counts, schedules=1)
        if verdict.violation:
            return counts, verdict
    return counts, None


def batches() -> Iterator[range]:
    """The seeds in batches."""
    end = SEED + SCHEDULES
    return (range(first, min(first + BATCH, end)) for first in range(SEED, end, BATCH))


def report(counts: Counter[str], seconds: float) -> str:
    """The counts as text, highest first."""
    lines = [f"{count:>12,}  {name}" for name, count in counts.most_common()]
    return "\n".join([*lines, f"{seconds:>12,.0f}  seconds"])


def main() -> int:
    """Run the schedules on every core; return the exit code."""
    started, counts = time.monotonic(), Counter[str]()
    with ProcessPoolExecutor() as pool:
        for batch_counts, failed in pool.map(run_batch, batches()):
            counts += batch_counts
            if failed:
                pool.shutdown(wait=False, cancel_futures=True)
                print(f"{failed.trace_text}\n\n{failed.violation}")
                print(f"Reproduce: make simulate SEED={failed.seed} SCHEDULES=1")
                return 1
    print(report(counts, time.monotonic() - started))
    print(f"{0:>12}  violations")
    return 0


if __name__ == "__main__":
    sys.exit(main())
