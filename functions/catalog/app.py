"""/api/models: browse models, estimate costs; /api/admin/sync-models: request a sync; /api/openapi.json."""

from typing import Any

from aws_lambda_powertools.event_handler import Response

from instant.adapters.catalog.changes import DynamoChangeLists
from instant.adapters.catalog.snapshots import DynamoSnapshots
from instant.adapters.catalog.store import DynamoCatalog
from instant.adapters.catalog.sync_runs import DynamoSyncStatus
from instant.adapters.clock import SystemClock
from instant.adapters.event_bus import EventBridgeBus
from instant.domain.catalog.sync_run import SYNC_EVENT
from instant.entrypoints.catalog.browser import ModelBrowser
from instant.entrypoints.catalog.estimate import CostEstimates, EstimateBody, estimates_view
from instant.entrypoints.catalog.models import ModelDetail
from instant.entrypoints.catalog.sync import AcceptedSync, SyncOrder, SyncRunView, sync_run_view
from instant.entrypoints.http.app import api, handler_of
from instant.entrypoints.http.conditional import IfNoneMatch, tag_of, tagged, unchanged
from instant.entrypoints.http.paging import PageOf, whole_answer
from instant.entrypoints.http.responses import documented
from instant.entrypoints.openapi import document
from instant.settings import CatalogSettings
from instant.use_cases.catalog.browse import Catalog
from instant.use_cases.catalog.estimate import estimate_cost

settings = CatalogSettings.load()
clock = SystemClock()
store = DynamoCatalog(settings.models_table, settings.limits_table)
status = DynamoSyncStatus(settings.limits_table)
bus = EventBridgeBus(settings.event_bus)
catalog = Catalog(store, clock, fresh_seconds=settings.catalog_fresh_seconds)
app = api()

snapshots, changes = DynamoSnapshots(settings.model_changes_table), DynamoChangeLists(settings.model_changes_table)
browser = ModelBrowser(app, catalog, snapshots, changes, clock)
app.get("/api/models", responses=documented(PageOf[ModelDetail]))(browser.index)
app.get("/api/models/<author>/<slug>", responses=documented(ModelDetail))(browser.show)


@app.post("/api/models/estimate")
def estimate(body: EstimateBody) -> CostEstimates:
    """Estimate the expected and the maximum cost of a call on several models; nothing is sent or stored."""
    call, (index, _) = body.call(), catalog.now()
    return estimates_view(call, estimate_cost(body.model_ids, call, body.sort, index, clock.now()))


@app.post("/api/admin/sync-models", status_code=202)
def sync(body: SyncOrder | None = None) -> AcceptedSync:
    """Request a sync; it runs asynchronously, after one that is running. GET shows its result."""
    order = body or SyncOrder()
    bus.put(SYNC_EVENT, order.model_dump())
    return {"accepted": True, "accept_losses": order.accept_losses, "accept_prices": order.accept_prices}


@app.get("/api/admin/sync-models")
def sync_runs() -> PageOf[SyncRunView]:
    """List the last 20 runs of the sync, newest first: what was changed, held, skipped and refused, and why."""
    return whole_answer([sync_run_view(run) for run in status.last()])


@app.get("/api/openapi.json", responses=documented(dict[str, Any]))
def openapi() -> Response[str]:
    """Get this document: the whole API in OpenAPI 3.1."""
    text = document()
    tag = tag_of(text)
    return unchanged(tag) if tag in IfNoneMatch.by(app) else tagged(text, tag)


handler = handler_of(app, settings)
