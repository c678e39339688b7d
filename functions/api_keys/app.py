"""/api/user/api-keys: create, list and revoke API keys."""

from aws_lambda_powertools.event_handler import Response

from instant.adapters.access.api_keys import DynamoApiKeyStore
from instant.adapters.clock import SystemClock
from instant.entrypoints.access.api_keys import ApiKeySummary, MintedApiKey, NewApiKey, api_key_view, minted_view
from instant.entrypoints.http.app import api, handler_of
from instant.entrypoints.http.caller import caller_of
from instant.entrypoints.http.paging import PageOf, whole_answer
from instant.entrypoints.http.responses import no_content
from instant.settings import ApiKeysSettings
from instant.use_cases.access.api_keys import create_key, list_keys, revoke_key

settings = ApiKeysSettings.load()
store = DynamoApiKeyStore(settings.api_keys_table)
clock = SystemClock()
app = api()


@app.get("/api/user/api-keys")
def index() -> PageOf[ApiKeySummary]:
    """List the caller's API keys, newest first."""
    return whole_answer([api_key_view(key) for key in list_keys(caller_of(app), store)])


@app.post("/api/user/api-keys", status_code=201)
def create(body: NewApiKey) -> MintedApiKey:
    """Create an API key; `api_key` is in this response and never shown again."""
    secret, key = create_key(
        name=body.name,
        scopes=body.scopes,
        expires_at=body.expires_at,
        caller=caller_of(app),
        store=store,
        clock=clock,
    )
    return minted_view(secret, key)


@app.delete("/api/user/api-keys/<key_id>", status_code=204)
def revoke(key_id: str) -> Response[None]:
    """Revoke an API key."""
    revoke_key(key_id, caller_of(app), store, clock)
    return no_content()


handler = handler_of(app, settings)
