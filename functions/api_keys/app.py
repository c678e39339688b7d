"""/api/user/api-keys: create, list and revoke API keys."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from instant.adapters.access.expiring_keys import ExpiringApiKeyStore
from instant.adapters.clock import SystemClock
from instant.entrypoints.access.api_keys import ApiKeySummary, MintedApiKey, NewApiKey, api_key_view, minted_view
from instant.entrypoints.http.app import api, handler_of
from instant.entrypoints.http.caller import caller_of
from instant.entrypoints.http.paging import PageOf, page_answer, page_request
from instant.entrypoints.http.responses import no_content
from instant.settings import ApiKeysSettings
from instant.use_cases.access.api_keys import KeyRequest, create_key, list_keys, revoke_key, revoke_with_descendants

settings = ApiKeysSettings.load()
store = ExpiringApiKeyStore(settings.api_keys_table, settings.limits_table, days_kept=settings.retention_days)
clock = SystemClock()
app = api()


@app.get("/api/user/api-keys")
def index(
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: str | None = None,
    revoked: Annotated[bool, Query(description="Return revoked keys, too.")] = False,
) -> PageOf[ApiKeySummary]:
    """List the caller's API keys, newest first; revoked ones only with `revoked=true`."""
    page = list_keys(caller_of(app), page_request(limit, cursor), store, revoked=revoked)
    return page_answer(page, api_key_view)


@app.post("/api/user/api-keys", status_code=201)
def create(body: NewApiKey) -> MintedApiKey:
    """Create an API key; `api_key` is in this response and never shown again.

    A key that is created with an API key expires no later than that key, and is revoked with it by
    `DELETE …?descendants=true`.
    """
    request = KeyRequest(**dict(body))
    return minted_view(*create_key(request, caller_of(app), store, clock, most=settings.api_keys_per_user))


@app.delete("/api/user/api-keys/<key_id>", status_code=204)
def revoke(
    key_id: str,
    descendants: Annotated[
        bool, Query(description="Revoke all keys, too, that were created with this one, directly or indirectly.")
    ] = False,
) -> Response[None]:
    """Revoke an API key, or with `descendants=true` also all keys that were created with it.

    After 409 `in_progress`, send the same request again: it continues.
    """
    if descendants:
        revoke_with_descendants(key_id, caller_of(app), store, clock, seconds_left)
    else:
        revoke_key(key_id, caller_of(app), store, clock)
    return no_content()


def seconds_left() -> float:
    """The remaining time of this invocation."""
    return app.lambda_context.get_remaining_time_in_millis() / 1000


handler = handler_of(app, settings)
