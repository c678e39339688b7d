"""`make bench`: cold start, processor time, AWS calls and the catalog sync, each measured on what was built.

Absolute times belong to the machine; compare the ratios, and what one run measured side by side.
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
from tests.bench.setting import Row, open_setting
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
)
REPORT = ROOT / ".aws-sam/bench.md"


def main() -> None:
    """Measures one thing after the other, and prints the table that is also kept in `REPORT`."""
    rows: list[Row] = []
    with open_setting() as setting:
        for measurement in MEASUREMENTS:
            print(f"measuring {measurement.__name__.rpartition('.')[2]} ...", file=sys.stderr, flush=True)
            rows += measurement.measure(setting)
    table = _table(rows)
    REPORT.write_text(table)
    print(f"\n{table}\n({REPORT.relative_to(ROOT)})")


def _table(rows: list[Row]) -> str:
    lines = ["| what | measured | aim |", "|---|---|---|", *(f"| {r.what} | {r.measured} | {r.aim} |" for r in rows)]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
