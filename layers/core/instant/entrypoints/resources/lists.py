"""GET /api/resources: query parameters and response body."""

from typing import Annotated, Literal, NotRequired, TypedDict, cast

from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field, StringConstraints

from instant.domain.catalog.model import ModelStatus
from instant.domain.errors import InvalidField
from instant.domain.resources.listing import ResourceFilter, ResourceSort
from instant.domain.resources.resource import Resource
from instant.entrypoints.http.caller import caller_of
from instant.entrypoints.http.paging import PageOf, page_answer, page_request
from instant.entrypoints.resources.resource import Category, ResourceFacts, facts_view
from instant.ports.catalog.lookup import ModelLookup
from instant.ports.clock import Clock
from instant.ports.resources.lists import ResourceLists
from instant.ports.resources.store import ResourceReader
from instant.use_cases.resources.affected import Affected, list_affected
from instant.use_cases.resources.browse import list_own, list_public

type Author = Annotated[str, StringConstraints(pattern=r"^[^/\s]{1,100}$")]
type Search = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"\S")]


class RecentUse(TypedDict):
    """Calls in 30 days as of the last ranking, a few minutes ago."""

    calls: int
    successes: int


class AffectedModel(TypedDict):
    """An affected model of a resource."""

    openrouter_id: str
    status: ModelStatus


class ListedResource(ResourceFacts):
    """A resource in a list; its settings are at GET /api/resources/{resource_id}."""

    recent_use: Annotated[RecentUse | None, Field(description="Null for resources that are not public.")]
    affected_models: NotRequired[Annotated[list[AffectedModel], Field(description="With affected=true.")]]


def listed_view(resource: Resource) -> ListedResource:
    """A resource in a list: a page of settings could be more than an answer may hold."""
    usage = resource.usage
    recent: RecentUse | None = {"calls": usage.calls, "successes": usage.successes} if usage else None
    return cast(ListedResource, {**facts_view(resource), "recent_use": recent})


def affected_view(affected: Affected) -> ListedResource:
    """A resource in the list of affected resources."""
    models: list[AffectedModel] = [
        {"openrouter_id": one.openrouter_id, "status": one.status} for one in affected.models
    ]
    return cast(ListedResource, {**listed_view(affected.resource), "affected_models": models})


class ResourceBrowser:
    """The route, for the app that serves it."""

    def __init__(
        self,
        app: APIGatewayRestResolver,
        lists: ResourceLists,
        resources: ResourceReader,
        models: ModelLookup,
        clock: Clock,
    ) -> None:
        """Register the route on `app`; `lists` reads the resources, `models` the impact on their models."""
        self._app = app
        self._lists = lists
        self._resources = resources
        self._models = models
        self._clock = clock

    def index(
        self,
        listing: Literal["mine", "public"] = "mine",
        category: Category | None = None,
        resource_type: str | None = None,
        author: Author | None = None,
        q: Search | None = None,
        affected: bool = False,
        sort: ResourceSort = ResourceSort.NEWEST,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        cursor: str | None = None,
    ) -> PageOf[ListedResource]:
        """List the caller's resources (all, or those affected by model changes), or all public ones.

        A page may be short and yet have a next one.
        """
        caller, page = caller_of(self._app), page_request(limit, cursor)
        resource_filter = ResourceFilter(category=category, resource_type=resource_type, author=author, text=q)
        if listing == "public":
            if affected:
                raise InvalidField.named("affected", "is about your own resources; leave out listing=public")
            return page_answer(list_public(sort, resource_filter, page, self._lists), listed_view)
        if affected:
            stores = (self._lists, self._resources, self._models, self._clock)
            found = list_affected(caller, sort, resource_filter, page, *stores)
            return page_answer(found, affected_view)
        return page_answer(list_own(caller, sort, resource_filter, page, self._lists), listed_view)
