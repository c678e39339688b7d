"""/api/resources: create, show, list, change and delete; /api/resource-types: what can be made."""

from typing import Annotated, Literal

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from instant.adapters.catalog_store import DynamoModelReader
from instant.adapters.clock import SystemClock
from instant.adapters.resource_lists import DynamoResourceLists
from instant.adapters.resource_store import DynamoResourceStore
from instant.adapters.stats_store import DynamoStatsStore
from instant.domain.listing import ResourceSort, Wanted
from instant.entrypoints.answers import ListedResource, PageOf, ResourceDetail, ResourceKind, ResourceSummary
from instant.entrypoints.bodies import Author, Category, NewResource, ResourceChanges, Search
from instant.entrypoints.http import api, caller_of, handler_of, no_content, page_answer, revision_of, whole_answer
from instant.entrypoints.http import page_request as page_of
from instant.entrypoints.views import detail_view, kind_view, listed_view, resource_view
from instant.resource_types import RESOURCE_TYPES
from instant.settings import ResourcesSettings
from instant.use_cases import browse_resources as browse
from instant.use_cases import manage_resources as manage

settings = ResourcesSettings.load()
lists = DynamoResourceLists(settings.resources_table)
stats = DynamoStatsStore(settings.resource_stats_table)
doors = manage.Doors(
    resources=DynamoResourceStore(settings.resources_table),
    models=DynamoModelReader(settings.models_table),
    clock=SystemClock(),
)
app = api()


@app.get("/api/resource-types")
def types() -> PageOf[ResourceKind]:
    """Every kind of resource, with JSON Schemas of its settings and inputs."""
    return whole_answer([kind_view(kind) for kind in RESOURCE_TYPES.values()])


@app.get("/api/resources")
def index(
    listing: Literal["mine", "public"] = "mine",
    category: Category | None = None,
    resource_type: str | None = None,
    author: Author | None = None,
    q: Search | None = None,
    sort: ResourceSort = ResourceSort.NEWEST,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: str | None = None,
) -> PageOf[ListedResource]:
    """The caller's own resources, or everybody's public ones; a page may be short and yet have a next one."""
    caller, page = caller_of(app), page_of(limit, cursor)
    wanted = Wanted(category=category, resource_type=resource_type, author=author, text=q)
    own, public = browse.list_own, browse.list_public
    found = public(sort, wanted, page, lists) if listing == "public" else own(caller, sort, wanted, page, lists)
    return page_answer(found, listed_view)


@app.post("/api/resources", status_code=201)
def create(body: NewResource) -> ResourceSummary:
    """Create a resource."""
    caller = caller_of(app)
    return resource_view(manage.create_resource(manage.Draft(**dict(body)), caller, doors), caller.user_id)


@app.get("/api/resources/<resource_id>")
def show(resource_id: str) -> ResourceDetail:
    """One resource with its statistics, and what its model can do and whether it still serves."""
    detail = browse.read_resource(resource_id, caller_of(app), doors.resources, doors.models, stats, doors.clock)
    return detail_view(detail, caller_of(app).user_id)


@app.patch("/api/resources/<resource_id>")
def change(resource_id: str, body: ResourceChanges) -> ResourceSummary:
    """Change a resource; with If-Match, only that revision of it."""
    caller = caller_of(app)
    changed = manage.change_resource(resource_id, body.wanted(), revision_of(app), caller, doors)
    return resource_view(changed, caller.user_id)


@app.delete("/api/resources/<resource_id>", status_code=204)
def delete(resource_id: str) -> Response[None]:
    """Delete a resource; its executions stay readable."""
    manage.delete_resource(resource_id, revision_of(app), caller_of(app), doors)
    return no_content()


handler = handler_of(app, settings)
