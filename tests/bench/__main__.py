"""`make bench`: cold start, CPU time, AWS calls, the catalog sync and streams, measured on the built artifacts.

Absolute times depend on the machine; compare the ratios, and the values of one run.
"""

import sys

from tests.bench import (
    aws_calls,
    browsing,
    catalog_growth,
    catalog_sync,
    cold_start,
    hostile,
    images,
    ledger_cost,
    listing,
    warm_cpu,
)
from tests.bench.setup import Row, open_setup
from tests.bench.streams import stream_memory, stream_speed
from tests.local.stack import ROOT

MEASUREMENTS = (
    aws_calls,
    cold_start,
    warm_cpu,
    ledger_cost,
    catalog_sync,
    browsing,
    catalog_growth,
    images,
    listing,
    hostile,
    stream_speed,
    stream_memory,
)
REPORT = ROOT / ".aws-sam/bench.md"


def main() -> None:
    """Run all measurements, write the table to `REPORT` after each of them, and print it."""
    rows: list[Row] = []
    with open_setup() as setup:
        for measurement in MEASUREMENTS:
            print(f"measuring {measurement.__name__.rpartition('.')[2]} ...", file=sys.stderr, flush=True)
            rows += measurement.measure(setup)
            REPORT.write_text(_table(rows))
    print(f"\n{_table(rows)}\n({REPORT.relative_to(ROOT)})")


def _table(rows: list[Row]) -> str:
    lines = ["| what | measured | aim |", "|---|---|---|", *(f"| {r.what} | {r.measured} | {r.aim} |" for r in rows)]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
