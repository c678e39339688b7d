"""A sync of the whole catalog: what it writes at first, when nothing changed, and when one model did."""

import json
import time
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.bench.setting import Row, Setting
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
    """One sync."""

    counts: Any
    batches: int
    seconds: float

    def __str__(self) -> str:
        rows, batches = (f"{n} {word}{'' if n == 1 else end}" for n, word, end in self._written())
        return f"{self.counts['seen']} models, {rows} written in {batches}, {self.seconds:.2f} s"

    def _written(self) -> list[tuple[int, str, str]]:
        return [(self.counts["written"], "row", "s"), (self.batches, "batch", "es")]


def measure(setting: Setting) -> list[Row]:
    """Three syncs of one catalog, each read whole; the wall time is mostly moto's."""
    rows = _catalog(setting)
    setting.world.fake.catalog = rows
    first, same = _sync(setting), _sync(setting)
    rows[0]["name"] += " (renamed)"
    changed = _sync(setting)
    kind = "recorded" if RECORDED.is_file() else "made-up"
    return [
        Row(f"sync of a {kind} catalog, another before", str(first)),
        Row("… nothing changed", str(same), "0 rows"),
        Row("… one model changed", str(changed), "1 row"),
    ]


def _catalog(setting: Setting) -> list[Any]:
    if not RECORDED.is_file():
        return setting.world.fake.catalog
    rows: list[Any] = json.loads(RECORDED.read_text(), parse_float=Decimal)["data"]
    return rows


def _sync(setting: Setting) -> Run:
    stack = setting.world.stack
    stack.settle()  # owners are told of the sync before: that is not this one's time
    stack.calls.clear()
    started = time.perf_counter()
    outcome = stack.invoke(SYNC, _EVENT)
    seconds = time.perf_counter() - started
    assert not outcome.failed, outcome.payload
    batches = stack.calls.of(SYNC).count(("dynamodb", "BatchWriteItem"))
    return Run(outcome.content, batches, seconds)
