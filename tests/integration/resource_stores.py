"""The store of resources on the tables of an app."""

from instant.adapters.resources.store import DynamoResourceStore, ResourceTables
from tests.integration.app import App


def a_resource_store(app: App, *, days_kept: int = 97, max_per_user: int = 1_000) -> DynamoResourceStore:
    """Return a store with the template's defaults."""
    tables = ResourceTables(
        resources=app.name("RESOURCES_TABLE"),
        stats=app.name("RESOURCE_STATS_TABLE"),
        limits=app.name("LIMITS_TABLE"),
    )
    return DynamoResourceStore(tables, days_kept=days_kept, max_per_user=max_per_user)
