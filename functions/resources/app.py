"""/api/resources: create, show, list, change and delete; /api/resource-types: what can be made."""

from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from instant.adapters.catalog_store import DynamoModelReader
from instant.adapters.clock import SystemClock
from instant.adapters.resource_store import DynamoResourceStore
from instant.adapters.stats_store import DynamoStatsStore
from instant.entrypoints.bodies import NewResource, ResourceChanges
from instant.entrypoints.http import (
    api,
    caller_of,
    handler_of,
    no_content,
    page_answer,
    page_request,
    revision_of,
)
from instant.entrypoints.views import detail_view, kind_view, resource_view
from instant.resource_types import RESOURCE_TYPES
from instant.settings import ResourcesSettings
from instant.use_cases import manage_resources as manage

settings = ResourcesSettings.load()
doors = manage.Doors(
    resources=DynamoResourceStore(settings.resources_table),
    stats=DynamoStatsStore(settings.resource_stats_table),
    models=DynamoModelReader(settings.models_table),
    clock=SystemClock(),
)
app = api()


@app.get("/api/resource-types")
def types() -> dict[str, Any]:
    """Every kind of resource, with JSON Schemas of its settings and inputs."""
    kinds = [kind_view(kind) for kind in RESOURCE_TYPES.values()]
    return {"data": kinds, "next_cursor": None, "total": len(kinds)}


@app.get("/api/resources")
def index(
    listing: Literal["mine", "public"] = "mine",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: str | None = None,
) -> dict[str, Any]:
    """The caller's own resources, or everybody's public ones, newest first."""
    caller, page = caller_of(app), page_request(limit, cursor)
    found = manage.list_public(page, doors) if listing == "public" else manage.list_own(caller, page, doors)
    return page_answer(found, lambda resource: resource_view(resource, caller.user_id))


@app.post("/api/resources", status_code=201)
def create(body: NewResource) -> dict[str, Any]:
    """Create a resource."""
    caller = caller_of(app)
    return resource_view(manage.create_resource(manage.Draft(**dict(body)), caller, doors), caller.user_id)


@app.get("/api/resources/<resource_id>")
def show(resource_id: str) -> dict[str, Any]:
    """One resource with its statistics and its model's badges."""
    caller = caller_of(app)
    return detail_view(manage.read_resource(resource_id, caller, doors), caller.user_id)


@app.patch("/api/resources/<resource_id>")
def change(resource_id: str, body: ResourceChanges) -> dict[str, Any]:
    """Change a resource; with If-Match, only that revision of it."""
    caller = caller_of(app)
    changed = manage.change_resource(resource_id, body.wanted(), revision_of(app), caller, doors)
    return resource_view(changed, caller.user_id)


@app.delete("/api/resources/<resource_id>")
def delete(resource_id: str) -> Response[None]:
    """Delete a resource; its executions stay readable."""
    manage.delete_resource(resource_id, revision_of(app), caller_of(app), doors)
    return no_content()


handler = handler_of(app)
