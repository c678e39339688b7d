"""On the event openrouter/models.changed after a sync: sends an event for each resource whose models changed."""

from dataclasses import asdict
from typing import Any

from instant.adapters.catalog.changes import DynamoChangeLists
from instant.adapters.catalog.lookup import DynamoModelLookup
from instant.adapters.clock import SystemClock
from instant.adapters.event_bus import EventBridgeBus
from instant.adapters.resources.models_in_use import DynamoUsesOfModels
from instant.entrypoints.observability import quiet_libraries
from instant.settings import ModelImpactSettings
from instant.use_cases.catalog.notify_owners import NotifyDeps, notify_owners

quiet_libraries()
settings = ModelImpactSettings.load()
deps = NotifyDeps(
    changes=DynamoChangeLists(settings.model_changes_table),
    uses=DynamoUsesOfModels(settings.resources_table),
    models=DynamoModelLookup(settings.models_table),
    bus=EventBridgeBus(settings.event_bus),
    clock=SystemClock(),
)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Notify owners once; a failed run raises, so that Lambda retries all of it."""
    return asdict(notify_owners(event["detail"]["models"], event["detail"]["since"], deps))
