"""`python -m tests.simulator` runs many schedules (SCHEDULES=100000, from SEED=0) and says what happened in them.

The first that breaks a promise is told as a story, and the end is 1.
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
    """What happened in these schedules, and the first that broke a promise."""
    counts: Counter[str] = Counter()
    for seed in seeds:
        verdict = run_schedule(seed)
        counts.update(verdict.counts, schedules=1)
        if verdict.broken:
            return counts, verdict
    return counts, None


def batches() -> Iterator[range]:
    """The seeds, in parts."""
    end = SEED + SCHEDULES
    return (range(first, min(first + BATCH, end)) for first in range(SEED, end, BATCH))


def report(counts: Counter[str], seconds: float) -> str:
    """What happened, most often first."""
    lines = [f"{count:>12,}  {name}" for name, count in counts.most_common()]
    return "\n".join([*lines, f"{seconds:>12,.0f}  seconds"])


def main() -> int:
    """Run them on every core."""
    started, counts = time.monotonic(), Counter[str]()
    with ProcessPoolExecutor() as pool:
        for more, broken in pool.map(run_batch, batches()):
            counts += more
            if broken:
                pool.shutdown(wait=False, cancel_futures=True)
                print(f"{broken.story}\n\n{broken.broken}\nAgain: make simulate SEED={broken.seed} SCHEDULES=1")
                return 1
    print(report(counts, time.monotonic() - started))
    print(f"{0:>12}  violations")
    return 0


if __name__ == "__main__":
    sys.exit(main())
