"""Writes and time of a sync: of a new catalog, without changes, and with one changed model."""

import json
import time
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.bench.setup import Row, Setup
from tests.local.stack import ROOT

RECORDED = ROOT.parent / "shared/data/openrouter/models-2026-06-08.json"
SYNC = "CatalogSyncFunction"
_EVENT = {
    "source": "instant.resources",
    "detail-type": "openrouter/models.sync",
    "detail": {"accept_losses": True, "accept_prices": True},
}


@dataclass(frozen=True)
class Run:
    """The result of one sync."""

    counts: Any
    batches: int
    seconds: float

    def __str__(self) -> str:
        rows, batches = (f"{n} {word}{'' if n == 1 else end}" for n, word, end in self._written())
        return f"{self.counts['seen']} models, {rows} written in {batches}, {self.seconds:.2f} s"

    def _written(self) -> list[tuple[int, str, str]]:
        return [(self.counts["written"], "row", "s"), (self.batches, "batch", "es")]


def measure(setup: Setup) -> list[Row]:
    """Three syncs of one catalog without its ETag; most of the wall time is that of moto."""
    rows = _catalog(setup)
    setup.world.fake.catalog = rows
    first, same = _sync(setup), _sync(setup)
    rows[0]["name"] += " (renamed)"
    changed = _sync(setup)
    source = "recorded" if RECORDED.is_file() else "made-up"
    return [
        Row(f"sync of a {source} catalog after another one", str(first)),
        Row("… nothing changed", str(same), "0 rows"),
        Row("… one model changed", str(changed), "1 row"),
    ]


def _catalog(setup: Setup) -> list[Any]:
    if not RECORDED.is_file():
        return setup.world.fake.catalog
    rows: list[Any] = json.loads(RECORDED.read_text(), parse_float=Decimal)["data"]
    return rows


def _sync(setup: Setup) -> Run:
    stack = setup.world.stack
    stack.settle()  # the notifications of the previous sync do not count
    stack.calls.clear()
    started = time.perf_counter()
    outcome = stack.invoke(SYNC, _EVENT)
    seconds = time.perf_counter() - started
    assert not outcome.failed, outcome.payload
    batches = stack.calls.of(SYNC).count(("dynamodb", "BatchWriteItem"))
    return Run(outcome.content, batches, seconds)
