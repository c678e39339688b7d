"""/api/models/{author}/{slug}/endpoints: who serves a model that resources use."""

from urllib.parse import unquote

from instant.adapters.offers_store import DynamoOffersStore
from instant.entrypoints.http import api, handler_of
from instant.entrypoints.offers_answer import ModelOffers, offers_view
from instant.settings import ModelEndpointsSettings
from instant.use_cases.watch_endpoints import read_offers

settings = ModelEndpointsSettings.load()
offers = DynamoOffersStore(settings.model_endpoints_table)
app = api()


@app.get("/api/models/<author>/<slug>/endpoints")
def show(author: str, slug: str) -> ModelOffers:
    """List the providers of one model with prices and performance, as of the last sync."""
    return offers_view(read_offers(f"{unquote(author)}/{unquote(slug)}", offers))


handler = handler_of(app, None)
