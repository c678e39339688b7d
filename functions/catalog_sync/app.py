"""The catalog sync: daily by schedule, and whenever the event openrouter/models.sync asks for it."""

from dataclasses import asdict
from typing import Any

from instant.adapters.catalog_store import DynamoCatalog
from instant.adapters.clock import SystemClock
from instant.adapters.upstream import HttpUpstream
from instant.entrypoints.observability import quiet_libraries
from instant.entrypoints.schedule import accepts_losses
from instant.integrations.openrouter.wire import BASE_URL
from instant.settings import CatalogSyncSettings
from instant.use_cases.sync_catalog import sync_catalog

quiet_libraries()
settings = CatalogSyncSettings.load()
upstream = HttpUpstream({BASE_URL: settings.openrouter_base_url})
catalog = DynamoCatalog(settings.models_table, settings.limits_table)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Sync once; a refused or failed run raises, so that the platform counts it as an error."""
    result = sync_catalog(
        upstream=upstream,
        catalog=catalog,
        clock=SystemClock(),
        max_loss_percent=settings.catalog_max_loss_percent,
        accept_losses=accepts_losses(event),
    )
    return asdict(result)
