"""/api/resources: create, show, list, change and delete; /api/resource-types: what can be made."""

from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import StringConstraints

from instant.adapters.catalog_store import DynamoModelReader
from instant.adapters.clock import SystemClock
from instant.adapters.resource_store import DynamoResourceStore
from instant.adapters.stats_store import DynamoStatsStore
from instant.domain.errors import InvalidField
from instant.domain.resource import Visibility
from instant.entrypoints.http import (
    Body,
    api,
    caller_of,
    handler_of,
    no_content,
    page_answer,
    page_request,
    revision_of,
)
from instant.entrypoints.views import badges_view, resource_view, stats_view
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

type Name = Annotated[str, StringConstraints(min_length=1, max_length=120, pattern=r"\S")]
type Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=48)]
type Text = Annotated[str, StringConstraints(max_length=2_000)]
type Category = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)]


class NewResource(Body):
    """A resource to create; `config` is what its type says at GET /api/resource-types."""

    resource_type: str
    name: Name
    slug: Slug | None = None
    description: Text | None = None
    category: Category | None = None
    visibility: Visibility = Visibility.PRIVATE
    config: dict[str, Any]


class Changes(Body):
    """Fields to change; those left out stay, description and category may be set to null."""

    name: Name | None = None
    slug: Slug | None = None
    description: Text | None = None
    category: Category | None = None
    visibility: Visibility | None = None
    config: dict[str, Any] | None = None

    def wanted(self) -> dict[str, Any]:
        """What was sent, and only that."""
        changes = {name: getattr(self, name) for name in self.model_fields_set}
        for name in ("name", "slug", "visibility", "config"):
            if name in changes and changes[name] is None:
                raise InvalidField.named(name, "cannot be null")
        return changes


@app.get("/api/resource-types")
def types() -> dict[str, Any]:
    """Every kind of resource, with JSON Schemas of its settings and inputs."""
    kinds = [
        {
            "name": kind.name,
            "description": kind.description,
            "integration": kind.integration,
            "config_schema": kind.Config.model_json_schema(),
            "inputs_schema": kind.Inputs.model_json_schema(),
        }
        for kind in RESOURCE_TYPES.values()
    ]
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
    detail = manage.read_resource(resource_id, caller, doors)
    view = resource_view(detail.resource, caller.user_id)
    inputs = RESOURCE_TYPES[detail.resource.resource_type].Inputs.model_json_schema()
    return {**view, "inputs_schema": inputs, "stats": stats_view(detail.stats), "model": badges_view(detail.model)}


@app.patch("/api/resources/<resource_id>")
def change(resource_id: str, body: Changes) -> dict[str, Any]:
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
