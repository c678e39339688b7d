"""/api/models: browse the model catalog; /api/admin/sync-models: ask for a sync; /api/openapi.json: this API."""

from decimal import Decimal
from typing import Annotated, Any
from urllib.parse import unquote

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from instant.adapters.catalog_store import DynamoCatalog
from instant.adapters.event_bus import EventBridgeBus
from instant.domain.identity import Scope
from instant.entrypoints.answers import AcceptedSync, ModelDetail, PageOf
from instant.entrypoints.bodies import SyncOrder
from instant.entrypoints.http import api, caller_of, documented, handler_of, page_answer, page_request
from instant.entrypoints.openapi import document
from instant.entrypoints.schedule import SYNC_EVENT
from instant.entrypoints.views import model_view
from instant.settings import CatalogSettings
from instant.use_cases.browse_catalog import Catalog, ModelQuery, ModelSort, list_models, read_model

settings = CatalogSettings.load()
catalog = Catalog(DynamoCatalog(settings.models_table, settings.limits_table))
bus = EventBridgeBus(settings.event_bus)
app = api()


@app.get("/api/models")
def index(
    q: Annotated[str | None, Query(max_length=200)] = None,
    author: str | None = None,
    input_modality: str | None = None,
    output_modality: str | None = None,
    supported_parameter: str | None = None,
    min_context: Annotated[int | None, Query(ge=0)] = None,
    max_price: Annotated[Decimal | None, Query(ge=0, description="USD per prompt token")] = None,
    free: bool | None = None,
    active: bool = True,
    sort: ModelSort = ModelSort.NEWEST,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: str | None = None,
) -> PageOf[ModelDetail]:
    """The models that match, page by page, with the exact total."""
    query = ModelQuery(
        text=q,
        author=author,
        input_modality=input_modality,
        output_modality=output_modality,
        supported_parameter=supported_parameter,
        min_context=min_context,
        max_price=max_price,
        free=free,
        active=active,
        sort=sort,
    )
    models, sync = catalog.models()
    page, total = list_models(query, page_request(limit, cursor), models)
    return page_answer(page, lambda model: model_view(model, sync), total)


@app.get("/api/models/<author>/<slug>")
def show(author: str, slug: str) -> ModelDetail:
    """One model, inactive ones too; the gateway leaves both parts percent-encoded."""
    models, sync = catalog.models()
    return model_view(read_model(f"{unquote(author)}/{unquote(slug)}", models), sync)


@app.post("/api/admin/sync-models", status_code=202)
def sync(body: SyncOrder | None = None) -> AcceptedSync:
    """Ask for a sync; it runs by itself, GET /api/models shows when it is done."""
    caller_of(app).require(Scope.ADMIN)
    order = body or SyncOrder()
    bus.put(SYNC_EVENT, order.model_dump())
    return {"accepted": True, "accept_losses": order.accept_losses, "accept_prices": order.accept_prices}


@app.get("/api/openapi.json", responses=documented(dict[str, Any]))
def openapi() -> Response[str]:
    """This document: the whole API in OpenAPI 3.1."""
    return Response(200, "application/json", document(), {"Cache-Control": "public, max-age=300"})


handler = handler_of(app)
