"""Helpers that write catalog models in the way a sync does."""

from collections.abc import Iterable

from instant.adapters.catalog.snapshots import DynamoSnapshots
from instant.adapters.catalog.store import DynamoCatalogWriter
from instant.domain.catalog.model import CatalogModel
from instant.domain.catalog.sync_plan import Transition
from tests.integration.app import App


def writer_of(app: App) -> DynamoCatalogWriter:
    """Return the catalog writer that the sync uses."""
    return DynamoCatalogWriter(*map(app.name, ("MODELS_TABLE", "LIMITS_TABLE", "MODEL_CHANGES_TABLE")))


def snapshots_of(app: App) -> DynamoSnapshots:
    """Return the store of snapshots that the sync uses."""
    return DynamoSnapshots(app.name("MODEL_CHANGES_TABLE"))


def write_models(app: App, models: Iterable[CatalogModel]) -> None:
    """Store these models without a history."""
    writer_of(app).write([Transition(model, ()) for model in models])
