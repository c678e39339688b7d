"""/api/models/{author}/{slug}/endpoints: who serves a model that resources use."""

from urllib.parse import unquote

from instant.adapters.catalog.endpoints import DynamoOffersStore
from instant.entrypoints.catalog.endpoints import ModelOffers, offers_view
from instant.entrypoints.http.app import api, handler_of
from instant.settings import ModelEndpointsSettings
from instant.use_cases.catalog.endpoints import read_offers

settings = ModelEndpointsSettings.load()
offers = DynamoOffersStore(settings.model_endpoints_table)
app = api()


@app.get("/api/models/<author>/<slug>/endpoints")
def show(author: str, slug: str) -> ModelOffers:
    """List the providers of one model with prices and performance, as of the last sync."""
    return offers_view(read_offers(f"{unquote(author)}/{unquote(slug)}", offers))


handler = handler_of(app, None)
