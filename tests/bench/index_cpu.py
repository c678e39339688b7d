"""A program that prints the CPU time of responses about models as JSON, with and without the router."""

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from instant.adapters.catalog.changes import DynamoChangeLists
from instant.adapters.catalog.snapshots import DynamoSnapshots
from instant.adapters.clock import SystemClock
from instant.domain.catalog.index import ModelSort
from instant.domain.catalog.model import CatalogModel, SyncRecord
from instant.domain.catalog.query import ModelQuery
from instant.domain.exchange import Reply
from instant.domain.page import PageRequest
from instant.entrypoints.catalog.browser import ModelBrowser
from instant.entrypoints.catalog.responses import ModelAnswers
from instant.entrypoints.http.app import api, handler_of
from instant.entrypoints.http.conditional import IfNoneMatch
from instant.integrations.openrouter.catalog import read_listing
from instant.settings import HttpSettings
from instant.use_cases.catalog.browse import Catalog

PAGE = PageRequest(200)
FILTERED = ModelQuery(
    text="a",
    input_modalities=frozenset({"text"}),
    supported_parameters=frozenset({"tools"}),
    min_price=Decimal(0),
    min_context=8_000,
)


class MemoryModels:
    """A catalog in memory."""

    def __init__(self, models: Sequence[CatalogModel]) -> None:
        """Store these models."""
        self._models = sorted(models, key=lambda model: model.openrouter_id)

    def all(self) -> Sequence[CatalogModel]:
        """Every model."""
        return self._models

    def last_sync(self) -> SyncRecord:
        """Return a fixed record."""
        return SyncRecord(synced_at="2026-11-22T03:00:00.000000Z", read_at="2026-11-22T03:00:00.000000Z")


def milliseconds(call: Callable[[], object], times: int = 200) -> float:
    """Mean CPU time of a call, in milliseconds."""
    call()
    before = time.process_time()
    for _ in range(times):
        call()
    return (time.process_time() - before) * 1000 / times


def measured(models: Sequence[CatalogModel]) -> dict[str, float]:
    """CPU time of the first page and of later pages, without the router."""
    answers = ModelAnswers(Catalog(MemoryModels(models), SystemClock(), fresh_seconds=300))

    def page(query: ModelQuery, tag: str = "") -> str:
        reply = answers.page(query, ModelSort.NEWEST, PAGE, IfNoneMatch(tag))
        return str(reply.headers["ETag"])

    before = time.process_time()
    tag = page(ModelQuery())
    first = (time.process_time() - before) * 1000
    return {
        "first": first,
        "page": milliseconds(lambda: page(ModelQuery())),
        "filtered": milliseconds(lambda: page(FILTERED)),
        "unchanged": milliseconds(lambda: page(ModelQuery(), tag)),
    }


def handled(models: Sequence[CatalogModel], event: dict[str, Any]) -> dict[str, float]:
    """CPU time of the whole handler: router, validation and our code."""
    app, clock = api(), SystemClock()
    changes = DynamoChangeLists("unused")
    catalog = Catalog(MemoryModels(models), clock, fresh_seconds=300)
    browser = ModelBrowser(app, catalog, DynamoSnapshots("unused"), changes, clock)
    app.get("/api/models")(browser.index)
    handler = handler_of(app, HttpSettings())
    request_event = {
        **event,
        "queryStringParameters": {"limit": "200"},
        "multiValueQueryStringParameters": {"limit": ["200"]},
    }
    tag = handler(request_event, None)["multiValueHeaders"]["ETag"][0]
    conditional = {**request_event, "multiValueHeaders": {"If-None-Match": [tag]}}
    return {
        "page": milliseconds(lambda: handler(request_event, None)),
        "unchanged": milliseconds(lambda: handler(conditional, None)),
    }


if __name__ == "__main__":
    listing = read_listing(Reply(status=200, body=Path(sys.argv[1]).read_bytes()))
    assert listing
    real = list(listing.models)
    many = [replace(real[n % len(real)], openrouter_id=f"a/{n}", released_at=n + 1) for n in range(10_000)]
    event = json.loads(Path(sys.argv[2]).read_text())
    parts = {"real": measured(real), "thousand": measured(many[:1_000]), "many": measured(many)}
    print(json.dumps({**parts, "handler": handled(real, event)}))
