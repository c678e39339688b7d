"""/api/models/changes and /api/models/{author}/{slug}/history: changes of the model catalog."""

import json
from typing import Annotated, Literal
from urllib.parse import unquote

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from instant.adapters.catalog.changes import DynamoChangeLists
from instant.adapters.catalog.store import DynamoModelReader
from instant.domain.catalog.change import ChangeFilter, ChangeKind
from instant.domain.clock import format_time
from instant.entrypoints.catalog.changes import ModelChangeView, change_view
from instant.entrypoints.catalog.rss import RSS, feed
from instant.entrypoints.http.accept import accepted_type
from instant.entrypoints.http.app import api, handler_of
from instant.entrypoints.http.body import JSON
from instant.entrypoints.http.fields import Moment
from instant.entrypoints.http.links import api_address
from instant.entrypoints.http.paging import PageOf, page_answer, page_request
from instant.entrypoints.http.responses import documented
from instant.settings import ModelChangesSettings
from instant.use_cases.catalog.history import list_changes, model_history

settings = ModelChangesSettings.load()
changes = DynamoChangeLists(settings.model_changes_table)
models = DynamoModelReader(settings.models_table)
app = api()


@app.get("/api/models/changes", responses=documented(PageOf[ModelChangeView], also=RSS))
def index(
    since: Annotated[Moment | None, Query(description="Changes at or after this time.")] = None,
    kind: ChangeKind | None = None,
    author: Annotated[str | None, Query(min_length=1, max_length=100)] = None,
    model: Annotated[str | None, Query(min_length=1, max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: str | None = None,
    format: Annotated[Literal["json", "rss"] | None, Query(description="Default: by Accept.")] = None,  # noqa: A002
) -> Response[str]:
    """List changes of the catalog, newest first, as JSON or, by `format=rss` or `Accept`, as RSS."""
    change_filter = ChangeFilter(since=format_time(since) if since else None, kind=kind, author=author, model=model)
    page = list_changes(change_filter, page_request(limit, cursor), changes)
    if format == "rss" or (format is None and accepted_type(app, (JSON, RSS)) == RSS):
        return Response(200, RSS, feed(page.items, api_address(app, settings.public_url)), {"Vary": "Accept"})
    return Response(200, JSON, json.dumps(page_answer(page, change_view)), {"Vary": "Accept"})


@app.get("/api/models/<author>/<slug>/history")
def history(
    author: str, slug: str, limit: Annotated[int, Query(ge=1, le=200)] = 50, cursor: str | None = None
) -> PageOf[ModelChangeView]:
    """List the changes of one model, newest first."""
    page = model_history(f"{unquote(author)}/{unquote(slug)}", page_request(limit, cursor), changes, models)
    return page_answer(page, change_view)


handler = handler_of(app, settings)
