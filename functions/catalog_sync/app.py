"""The catalog sync: on a schedule, and on the event openrouter/models.sync."""

from dataclasses import asdict
from typing import Any

from instant.adapters.catalog.endpoints import DynamoModelEndpointsStore
from instant.adapters.catalog.snapshots import DynamoSnapshots
from instant.adapters.catalog.store import DynamoCatalogWriter
from instant.adapters.catalog.sync_lease import DynamoSyncLease
from instant.adapters.catalog.sync_runs import DynamoSyncRuns
from instant.adapters.clock import SystemClock
from instant.adapters.event_bus import EventBridgeBus
from instant.adapters.resources.models_in_use import DynamoModelsInUse
from instant.domain.catalog.sync_plan import Rules
from instant.entrypoints.catalog.sync import accepts, is_ordered
from instant.entrypoints.observability import quiet_libraries
from instant.entrypoints.upstream import upstream_of
from instant.settings import CatalogSyncSettings
from instant.use_cases.catalog.endpoints import EndpointDeps, watch_endpoints
from instant.use_cases.catalog.sync import SyncDeps, sync_catalog

quiet_libraries()
settings = CatalogSyncSettings.load()
upstream = upstream_of(settings)
deps = SyncDeps(
    upstream=upstream,
    catalog=DynamoCatalogWriter(settings.models_table, settings.limits_table, settings.model_changes_table),
    snapshots=DynamoSnapshots(settings.model_changes_table),
    lease=DynamoSyncLease(settings.limits_table),
    runs=DynamoSyncRuns(settings.limits_table),
    bus=EventBridgeBus(settings.event_bus),
    clock=SystemClock(),
)
watching = EndpointDeps(
    upstream=upstream,
    in_use=DynamoModelsInUse(settings.resources_table),
    endpoints_store=DynamoModelEndpointsStore(settings.model_endpoints_table),
    clock=deps.clock,
)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Run one sync; a quarantined or failed run raises, so that Lambda counts an error and retries."""
    rules = Rules(
        max_loss_percent=settings.catalog_max_loss_percent,
        accept_losses=accepts(event, "accept_losses"),
        accept_prices=accepts(event, "accept_prices"),
    )

    def seconds_left() -> float:
        return float(context.get_remaining_time_in_millis()) / 1000

    result = sync_catalog(deps, rules, seconds_left, is_ordered=is_ordered(event))
    return {**asdict(result), "endpoints_of": watch_endpoints(watching, seconds_left)}
