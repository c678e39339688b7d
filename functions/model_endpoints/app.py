"""/api/models/{author}/{slug}/endpoints: the providers of a model that resources use."""

from urllib.parse import unquote

from instant.adapters.catalog.endpoints import DynamoModelEndpointsStore
from instant.entrypoints.catalog.endpoints import ModelEndpointsView, model_endpoints_view
from instant.entrypoints.http.app import api, handler_of
from instant.settings import ModelEndpointsSettings
from instant.use_cases.catalog.endpoints import read_model_endpoints

settings = ModelEndpointsSettings.load()
store = DynamoModelEndpointsStore(settings.model_endpoints_table)
app = api()


@app.get("/api/models/<author>/<slug>/endpoints")
def show(author: str, slug: str) -> ModelEndpointsView:
    """List the providers of one model with prices and performance, as of the last sync."""
    return model_endpoints_view(read_model_endpoints(f"{unquote(author)}/{unquote(slug)}", store))


handler = handler_of(app, settings)
