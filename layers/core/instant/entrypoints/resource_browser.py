"""GET /api/resources: what may be asked, and how it is asked of the lists."""

from typing import Annotated, Literal

from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from aws_lambda_powertools.event_handler.openapi.params import Query

from instant.domain.errors import InvalidField
from instant.domain.listing import ResourceSort, Wanted
from instant.entrypoints.answers import PageOf
from instant.entrypoints.bodies import Author, Category, Search
from instant.entrypoints.http import caller_of, page_answer, page_request
from instant.entrypoints.resource_answers import ListedResource
from instant.entrypoints.views import affected_view, listed_view
from instant.ports import Clock, ResourceLists
from instant.ports.catalog import ModelLookup
from instant.use_cases.affected_resources import list_affected
from instant.use_cases.browse_resources import list_own, list_public


class ResourceBrowser:
    """The route, for the app that serves it."""

    def __init__(self, app: APIGatewayRestResolver, lists: ResourceLists, models: ModelLookup, clock: Clock) -> None:
        """Answer `app`'s callers from `lists`, and about what became of the models from `models`."""
        self._app = app
        self._lists = lists
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
        wanted = Wanted(category=category, resource_type=resource_type, author=author, text=q)
        if listing == "public":
            if affected:
                raise InvalidField.named("affected", "is about your own resources; leave out listing=public")
            return page_answer(list_public(sort, wanted, page, self._lists), listed_view)
        if affected:
            found = list_affected(caller, sort, wanted, page, self._lists, self._models, self._clock)
            return page_answer(found, affected_view)
        return page_answer(list_own(caller, sort, wanted, page, self._lists), listed_view)
