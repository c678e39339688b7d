"""DynamoDB request units of a sync, and the growth of its time from 400 to 40,000 models."""

import copy
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

from instant.domain.exchange import Reply, Request
from tests.bench.catalog_sync import RECORDED
from tests.bench.setup import Row, Setup
from tests.fakes.openrouter.catalog import default_catalog
from tests.fakes.whole_replies import WholeReplies
from tests.integration.app import App, deployed_app
from tests.integration.aws_calls import AwsCall, recorded

SIZES = (400, 4_000, 40_000)
_PAGE = 1_000


@dataclass(frozen=True)
class Cost:
    """DynamoDB request units of one sync, including those of the indexes."""

    writes: int
    write_units: int
    read_units: int

    def __str__(self) -> str:
        rows = f"{self.writes} row{'' if self.writes == 1 else 's'}"
        return f"{rows} written, {self.write_units} write units, {self.read_units} read units"


class Pages(WholeReplies):
    """An upstream with prepared pages, so that the time is that of the sync and the tables."""

    def __init__(self, rows: list[Any]) -> None:
        """Prepare `rows` in pages of 1,000: one response has at most 20 MB."""
        self._pages = [self._page(rows, start) for start in range(0, len(rows), _PAGE)]

    def send(self, request: Request, *, seconds: float) -> Reply:
        """Return the page with the offset in the path."""
        _, _, offset = request.path.partition("offset=")
        return Reply(status=200, body=self._pages[int(offset or 0) // _PAGE])

    def close(self) -> None:
        """Hold no connections."""

    @staticmethod
    def _page(rows: list[Any], start: int) -> bytes:
        following = f"/models?offset={start + _PAGE}" if start + _PAGE < len(rows) else None
        return json.dumps({"data": rows[start : start + _PAGE], "links": {"next": following}}).encode()


def measure(_: Setup) -> list[Row]:
    """Request units of four syncs of one catalog; time of two syncs for each catalog size."""
    with deployed_app() as app:
        return [*_units(app), *(_growth(app, size) for size in SIZES)]


def _units(app: App) -> list[Row]:
    rows = json.loads(RECORDED.read_text())["data"] if RECORDED.is_file() else default_catalog()
    app.fake.catalog = rows
    new, same = _cost(app), _cost(app)
    read_whole = _cost(app, accept_prices=True)
    app.fake.catalog = copy.deepcopy(rows)
    app.fake.catalog[0]["name"] += " (renamed)"
    return [
        Row(f"request units of a sync, {len(rows)} new models", str(new)),
        Row("… the same list by its ETag", str(same), "1 row"),
        Row("… the same list read whole", str(read_whole), "1 row"),
        Row("… one model changed", str(_cost(app)), "3 rows"),
    ]


def _cost(app: App, **detail: bool) -> Cost:
    before = _slugs(app.table("MODELS_TABLE"))
    with recorded("dynamodb") as calls:
        app.sync(**detail)
    items = [item for call in calls for item in _items(call, app)]
    slugs = len(_slugs(app.table("MODELS_TABLE")) - before)
    updates = sum(call.operation == "UpdateItem" for call in calls) - 1  # the lease and the sync record are one row
    is_read = any(call.operation == "Scan" and "IndexName" not in call.parameters for call in calls)
    reads = ceil(sum(_size(row) for row in app.table("MODELS_TABLE")) / 4_096) if is_read else 0
    units = sum(ceil(_size(item) / 1_024) * copies for item, copies in items)
    return Cost(len(items) + updates, units + slugs + updates + 1, reads)


def _slugs(models: list[dict[str, Any]]) -> set[tuple[str, str]]:
    """The entries of the slug index; a change of one is a write."""
    return {(row["openrouter_id"]["S"], row["canonical_slug"]["S"]) for row in models}


def _items(call: AwsCall, app: App) -> list[tuple[dict[str, Any], int]]:
    """Every written item, and in how many tables and indexes it is stored completely."""
    copies = {app.name("MODELS_TABLE"): 1, app.name("MODEL_CHANGES_TABLE"): 2}
    if call.operation != "BatchWriteItem":
        return []
    tables = call.parameters["RequestItems"].items()
    return [(put["PutRequest"]["Item"], copies[table]) for table, puts in tables for put in puts]


def _size(item: dict[str, Any]) -> int:
    """The approximate size for DynamoDB: names and values as UTF-8."""
    return sum(len(name) + len(json.dumps(next(iter(value.values())), default=list)) for name, value in item.items())


def _growth(app: App, size: int) -> Row:
    app.empty()
    app.seconds = 3_600
    model = default_catalog()[0]
    pages = Pages([{**model, "id": f"bench/model-{number}"} for number in range(size)])
    module = app.module("CatalogSyncFunction")
    before = module.deps
    module.deps = replace(before, upstream=pages)
    first, again = _time(app.sync), _time(lambda: app.sync(accept_prices=True))
    module.deps = before
    return Row(f"sync of {size:,} models: first, again", f"{_summary(first, size)}; {_summary(again, size)}", "linear")


def _summary(times: tuple[float, float], size: int) -> str:
    wall, cpu = times
    return f"{wall:.2f} s ({cpu / size * 1e3:.2f} ms CPU a model)"


def _time(run: Callable[[], Any]) -> tuple[float, float]:
    """Wall time and CPU time, which does not depend on other processes; both include the simulated AWS."""
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - wall, time.process_time() - cpu
