"""/api/user/api-keys: make, list and revoke our own API keys."""

from typing import Any

from aws_lambda_powertools.event_handler import Response

from instant.adapters.api_key_store import DynamoApiKeyStore
from instant.adapters.clock import SystemClock
from instant.entrypoints.bodies import NewApiKey
from instant.entrypoints.http import api, caller_of, handler_of, no_content
from instant.entrypoints.views import api_key_view
from instant.settings import ApiKeysSettings
from instant.use_cases.manage_api_keys import create_key, list_keys, revoke_key

settings = ApiKeysSettings.load()
store = DynamoApiKeyStore(settings.api_keys_table)
clock = SystemClock()
app = api()


@app.get("/api/user/api-keys")
def index() -> dict[str, Any]:
    """The caller's keys, newest first."""
    keys = [api_key_view(key) for key in list_keys(caller_of(app), store)]
    return {"data": keys, "next_cursor": None, "total": len(keys)}


@app.post("/api/user/api-keys", status_code=201)
def create(body: NewApiKey) -> dict[str, Any]:
    """Make a key; `api_key` is shown in this answer and never again."""
    secret, key = create_key(
        name=body.name,
        scopes=body.scopes,
        expires_at=body.expires_at,
        caller=caller_of(app),
        store=store,
        clock=clock,
    )
    return {**api_key_view(key), "api_key": secret.reveal()}


@app.delete("/api/user/api-keys/<key_id>")
def revoke(key_id: str) -> Response[None]:
    """Revoke a key."""
    revoke_key(key_id, caller_of(app), store, clock)
    return no_content()


handler = handler_of(app)
