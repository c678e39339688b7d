"""/api/resources: create, show, list, change and delete; /api/resource-types: list the types."""

from aws_lambda_powertools.event_handler import Response

from instant.adapters.catalog.lookup import DynamoModelLookup
from instant.adapters.clock import SystemClock
from instant.adapters.resources.lists import DynamoResourceLists
from instant.adapters.resources.stats import DynamoStatsStore
from instant.adapters.resources.store import DynamoResourceStore, ResourceTables
from instant.entrypoints.http.app import api, handler_of
from instant.entrypoints.http.caller import caller_of
from instant.entrypoints.http.conditional import revision_of
from instant.entrypoints.http.paging import PageOf, whole_answer
from instant.entrypoints.http.responses import no_content
from instant.entrypoints.resources.detail import ResourceDetail, detail_view
from instant.entrypoints.resources.lists import ResourceBrowser
from instant.entrypoints.resources.resource import NewResource, ResourceChanges, ResourceSummary, resource_view
from instant.entrypoints.resources.types import ResourceTypeView, resource_type_view
from instant.resource_types import RESOURCE_TYPES
from instant.settings import ResourcesSettings
from instant.use_cases.resources import browse, manage

settings = ResourcesSettings.load()
lists = DynamoResourceLists(settings.resources_table)
stats = DynamoStatsStore(settings.resource_stats_table)
models = DynamoModelLookup(settings.models_table)
deps = manage.ResourceDeps(
    resources=DynamoResourceStore(
        ResourceTables(
            resources=settings.resources_table, stats=settings.resource_stats_table, limits=settings.limits_table
        ),
        days_kept=settings.retention_days,
        max_per_user=settings.resources_per_user,
    ),
    models=models,
    clock=SystemClock(),
)
app = api()
app.get("/api/resources")(ResourceBrowser(app, lists, deps.resources, models, deps.clock).index)


@app.get("/api/resource-types")
def types() -> PageOf[ResourceTypeView]:
    """List the resource types with JSON Schemas of their settings and inputs."""
    return whole_answer([resource_type_view(resource_type) for resource_type in RESOURCE_TYPES.values()])


@app.post("/api/resources", status_code=201)
def create(body: NewResource) -> ResourceSummary:
    """Create a resource."""
    caller = caller_of(app)
    return resource_view(manage.create_resource(manage.Draft(**dict(body)), caller, deps), caller)


@app.get("/api/resources/<resource_id>")
def show(resource_id: str) -> ResourceDetail:
    """Get one resource with its statistics, its badges and the status of its model."""
    caller = caller_of(app)
    return detail_view(browse.read_resource(resource_id, caller, deps.resources, models, stats, deps.clock), caller)


@app.patch("/api/resources/<resource_id>")
def change(resource_id: str, body: ResourceChanges) -> ResourceSummary:
    """Update a resource; with If-Match, only that revision of it."""
    caller = caller_of(app)
    changed = manage.change_resource(resource_id, body.wanted(), revision_of(app), caller, deps)
    return resource_view(changed, caller)


@app.delete("/api/resources/<resource_id>", status_code=204)
def delete(resource_id: str) -> Response[None]:
    """Delete a resource; its executions stay readable."""
    manage.delete_resource(resource_id, revision_of(app), caller_of(app), deps)
    return no_content()


handler = handler_of(app, settings)
